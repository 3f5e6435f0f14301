# curl as it comes: GET, then POST with a body large enough for "Expect: 100-continue".
set -e
curl --silent --show-error --fail --noproxy '*' "$1"
echo
curl --silent --show-error --fail --noproxy '*' --header 'Content-Type: application/json' --data-binary "@$2" "$1"
echo
