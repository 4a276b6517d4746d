"""Asks for a page through Python's ssl. Arguments and output: see tests/interop/src/client/program.rs."""

import base64
import socket
import ssl
import sys

host, port, name, root, version, alpn, resume, _, path, *identity = sys.argv[1:]

# What Python calls by OpenSSL's name.
IANA = {
    f"ECDHE-{kind}-{cipher}": f"TLS_ECDHE_{kind}_WITH_{iana}"
    for kind in ("RSA", "ECDSA")
    for cipher, iana in (
        ("AES128-GCM-SHA256", "AES_128_GCM_SHA256"),
        ("AES256-GCM-SHA384", "AES_256_GCM_SHA384"),
        ("CHACHA20-POLY1305", "CHACHA20_POLY1305_SHA256"),
    )
}

context = ssl.create_default_context(cafile=root)
if version != "any":
    context.minimum_version = context.maximum_version = ssl.TLSVersion[f"TLSv{version.replace('.', '_')}"]
context.set_alpn_protocols([alpn])
if identity:
    context.load_cert_chain(*identity)


def ask(session):
    with socket.create_connection((host, int(port)), timeout=30) as plain:
        with context.wrap_socket(plain, server_hostname=name, session=session) as tls:
            tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            response = b"".join(iter(lambda: tls.recv(65536), b""))
            leaf = base64.b64encode(tls.getpeercert(binary_form=True) or b"").decode()
            suite = tls.cipher()[0]
            facts = {
                "version": tls.version(),
                "suite": IANA.get(suite, suite),
                "alpn": tls.selected_alpn_protocol() or "",
                "group": "",
                "resumed": str(tls.session_reused).lower(),
                "leaf": leaf,
            }
            return facts, tls.session, response


first = ask(None)[1] if resume == "resume" else None
facts, _, response = ask(first)
lines = "".join(f"{key}={value}\n" for key, value in facts.items())
sys.stdout.buffer.write(lines.encode() + b"\n" + response)
