"""TLS in front of Keystone and both Glances, and a web server that shows DIR/web. pyuwsgi is built without TLS.

What is asked of the web server under /hang is not answered for two minutes, and then with an error.

    front.py DIR

Ports come from the environment: TLS_KEYSTONE, TLS_GLANCE_ONE, TLS_GLANCE_TWO lead to KEYSTONE, GLANCE_ONE, GLANCE_TWO;
TLS_CLIENT leads to KEYSTONE too, and lets nobody in without a certificate of the CA. WEB is plain HTTP.
"""

import asyncio
import functools
import http.server
import os
import ssl
import sys
import threading
import time

HOST = "127.0.0.1"
FOLDER = sys.argv[1]


class Web(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/hang"):
            time.sleep(120)
            self.send_error(503)
        else:
            super().do_GET()


def context(asks_for_certificate):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{FOLDER}/tls/server.pem", f"{FOLDER}/tls/server.key")
    if asks_for_certificate:
        tls.load_verify_locations(f"{FOLDER}/tls/ca.pem")
        tls.verify_mode = ssl.CERT_REQUIRED
    return tls


async def pump(reader, writer):
    try:
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def front(port, behind, tls):
    async def handle(reader, writer):
        try:
            inner_reader, inner_writer = await asyncio.open_connection(HOST, behind)
        except OSError:
            writer.close()
            return
        answers = asyncio.ensure_future(pump(inner_reader, writer))
        await pump(reader, inner_writer)
        answers.cancel()
    return await asyncio.start_server(handle, HOST, port, ssl=tls)


async def main():
    port = lambda name: int(os.environ[name])
    servers = [await front(port(f"TLS_{name}"), port(name), context(False))
               for name in ("KEYSTONE", "GLANCE_ONE", "GLANCE_TWO")]
    servers.append(await front(port("TLS_CLIENT"), port("KEYSTONE"), context(True)))
    web = http.server.ThreadingHTTPServer(
        (HOST, port("WEB")), functools.partial(Web, directory=f"{FOLDER}/web"))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
