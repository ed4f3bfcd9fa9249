#!/usr/bin/python3
"""Makes esp_ah.txt with scapy (tested with 2.5.0): see README.md."""

import struct

from scapy.compat import raw
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (
    IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, HBHOptUnknown, PadN, RouterAlert,
)
from scapy.layers.inet import IPOption_RR, IPOption_Router_Alert
from scapy.layers.ipsec import AH, ESP, SecurityAssociation

SPI = 0x0102_0304
# The first IV that a worker of the tests draws.
IV = bytes.fromhex("3a4720b1bd5c7f82bac9238d10aa37b7")


def counting(first, length):
    return bytes((first + i) % 256 if first + i < 256 else (first + (first + i - 256) % (256 - first)) for i in range(length))


# Suite: scapy's cipher, key and salt, IV, ICV if combined, scapy's integrity, its key.
ESP_SUITES = {
    "aes128-sha1": ("AES-CBC", 16, 0, "cbc", None, "HMAC-SHA1-96", 20),
    "aes256-sha256": ("AES-CBC", 32, 0, "cbc", None, "SHA2-256-128", 32),
    "aes192-sha384": ("AES-CBC", 24, 0, "cbc", None, "SHA2-384-192", 48),
    "aes256-sha512": ("AES-CBC", 32, 0, "cbc", None, "SHA2-512-256", 64),
    "aes128-aescmac": ("AES-CBC", 16, 0, "cbc", None, "AES-CMAC-96", 16),
    "null-sha256": ("NULL", 0, 0, None, None, "SHA2-256-128", 32),
    "aes128ctr-sha256": ("AES-CTR", 16, 4, "counter", None, "SHA2-256-128", 32),
    "aes128gcm16": ("AES-GCM", 16, 4, "counter", 16, None, 0),
    "aes256gcm16": ("AES-GCM", 32, 4, "counter", 16, None, 0),
    "aes128ccm16": ("AES-CCM", 16, 3, "counter", 16, None, 0),
    "chacha20poly1305": ("CHACHA20-POLY1305", 32, 4, "counter", 16, None, 0),
    "aes128-none": ("AES-CBC", 16, 0, "cbc", None, None, 0),
    "3des-md5": ("3DES", 24, 0, "cbc8", None, "HMAC-MD5-96", 16),
}
AH_SUITES = {
    "sha1": ("HMAC-SHA1-96", 20),
    "sha256": ("SHA2-256-128", 32),
    "sha384": ("SHA2-384-192", 48),
    "sha512": ("SHA2-512-256", 64),
    "aescmac": ("AES-CMAC-96", 16),
    "md5": ("HMAC-MD5-96", 16),
}

PAYLOAD = b"what the packet carries"
OUTER = {
    4: lambda: IP(src="192.0.2.1", dst="192.0.2.2"),
    6: lambda: IPv6(src="2001:db8:ffff::1", dst="2001:db8:ffff::2"),
}
SECOND_STOPS = ["2001:db8:2::11", "2001:db8:2::12"]
INNER = {
    "4": lambda: IP(src="10.1.0.1", dst="10.2.0.1", ttl=63, id=0x1234) / UDP(sport=40000, dport=53) / PAYLOAD,
    "4-options": lambda: IP(
        src="10.1.0.1", dst="10.2.0.1", ttl=63, id=0x1234,
        options=[IPOption_Router_Alert(), IPOption_RR(length=7, pointer=4, routers=["0.0.0.0"])],
    ) / UDP(sport=40000, dport=53) / PAYLOAD,
    "6": lambda: IPv6(src="fd00:1::1", dst="fd00:2::1", hlim=63) / UDP(sport=40000, dport=53) / PAYLOAD,
    "6-extended": lambda: IPv6(src="fd00:1::1", dst="fd00:2::1", hlim=63)
    / IPv6ExtHdrHopByHop(options=[RouterAlert(value=0), PadN(optdata=b"\0" * 0)])
    / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x3E, optdata=b"\x55\x66")])
    / IPv6ExtHdrRouting(addresses=SECOND_STOPS, segleft=2)
    / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])
    / UDP(sport=40000, dport=53)
    / PAYLOAD,
}


def association(protocol, suite, sequence, esn, tunnel):
    kwargs = {"seq_num": sequence & 0xFFFFFFFF}
    keys = [b"", b""]
    icv = iv = None
    if protocol == "esp":
        crypt, key, salt, kind, icv, auth, auth_key = ESP_SUITES[suite]
        kwargs["crypt_algo"] = crypt
        if key:
            keys[0] = kwargs["crypt_key"] = counting(0x10, key + salt)
        if icv:
            kwargs["crypt_icv_size"] = icv
        iv = {"cbc": IV, "cbc8": IV[:8], "counter": struct.pack("!Q", sequence), None: b""}[kind]
    else:
        auth, auth_key = AH_SUITES[suite]
    if auth:
        keys[1] = kwargs["auth_key"] = counting(0x40, auth_key)
        kwargs["auth_algo"] = auth
    if tunnel:
        kwargs["tunnel_header"] = tunnel
    if esn:
        kwargs.update(esn_en=True, esn=sequence >> 32)
    return SecurityAssociation(ESP if protocol == "esp" else AH, spi=SPI, **kwargs), keys, iv


def in_udp(packet):
    size = 40 if isinstance(packet, IPv6) else 20
    data = raw(packet)
    carrier = type(packet)(data[:size])
    if isinstance(packet, IPv6):
        carrier.nh, carrier.plen = 17, None
        udp = UDP(sport=4500, dport=4500)
    else:
        carrier.proto, carrier.len, carrier.chksum = 17, None, None
        udp = UDP(sport=4500, dport=4500, chksum=0)
    return carrier / udp / data[size:]


def line(protocol, suite, mode, inner, outer, encap="raw", sequence=7, esn=False):
    packet = type(INNER[inner]())(raw(INNER[inner]()))
    sa, keys, iv = association(protocol, suite, sequence, esn, OUTER[outer]() if mode == "tunnel" else None)
    clear = raw(packet)
    protected = sa.encrypt(packet, iv=iv, esn=sequence >> 32 if esn else None) if iv else sa.encrypt(packet)
    if encap == "udp":
        protected = in_udp(protected)
    fields = [protocol, suite, mode, encap, "esn" if esn else "-", str(outer), str(sequence)]
    return " ".join(fields + [data.hex() for data in (clear, raw(protected))])


def cases():
    tunnels = [("4", 4), ("6", 4), ("4", 6), ("6", 6)]
    transports = [("4", 4), ("4-options", 4), ("6", 6), ("6-extended", 6)]
    for protocol, suites in (("esp", ESP_SUITES), ("ah", AH_SUITES)):
        for suite in suites:
            for mode, pairs in (("tunnel", tunnels), ("transport", transports)):
                for inner, outer in pairs:
                    yield line(protocol, suite, mode, inner, outer)
    for suite in ("aes128gcm16", "aes256-sha256"):
        for inner, outer in tunnels:
            yield line("esp", suite, "tunnel", inner, outer, "udp")
        for inner, outer in (("4", 4), ("6", 6)):
            yield line("esp", suite, "transport", inner, outer, "udp")
    for sequence in (7, (1 << 32) + 7):
        for mode in ("tunnel", "transport"):
            yield line("ah", "sha256", mode, "4", 4, sequence=sequence, esn=True)
            yield line("ah", "sha1", mode, "6", 6, sequence=sequence, esn=True)
            for suite in ("aes128gcm16", "chacha20poly1305"):
                yield line("esp", suite, mode, "4", 4, sequence=sequence, esn=True)


if __name__ == "__main__":
    with open("esp_ah.txt", "w") as out:
        for case in cases():
            out.write(case + "\n")
