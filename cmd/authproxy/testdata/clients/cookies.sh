# Signs in, calls, signs out and calls again, with the cookies that curl takes and sends.
set -e
jar=$(mktemp)
trap 'rm -f "$jar"' EXIT
# From a file that another process wrote.
curl --silent --show-error --fail --noproxy '*' --cookie-jar "$jar" "$1/login"
curl --silent --show-error --fail --noproxy '*' --cookie "$jar" --write-out '\n' "$1/api"
# In one process: with both options curl 7.88 reads what it has forgotten from the file again.
curl --silent --show-error --fail --noproxy '*' --cookie '' "$1/login" "$1/logout" "$1/api"
echo
