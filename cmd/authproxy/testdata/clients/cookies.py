"""Signs in, calls, signs out and calls again, with the cookies that http.cookiejar takes and sends."""
import http.cookiejar
import sys
import urllib.request

opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
)


def get(path):
    with opener.open(sys.argv[1] + path) as answer:
        return answer.read().decode()


get("/login")
print(get("/api"))
get("/logout")
print(get("/api"))
