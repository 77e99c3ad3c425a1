"""Succeeds when the HTTP server at the URL gives any answer that is not a server error."""

import sys
import urllib.error
import urllib.request

try:
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=5)
except urllib.error.HTTPError as error:
    sys.exit(0 if error.code < 500 else 1)
except OSError:
    sys.exit(1)
