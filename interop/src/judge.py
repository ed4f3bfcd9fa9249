"""Verifies and opens every ESP and AH packet of a capture with scapy, an implementation that this project did not write.

The request is JSON on standard input: the capture, and for each way who sends it, the SAs from the outermost to the
innermost, and the addresses of the packets inside. The answer is how many packets of each way were opened, or a sentence
and exit status 1.
"""

import json
import logging
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.compat import raw  # noqa: E402
from scapy.layers.inet import IP  # noqa: E402
from scapy.layers.inet6 import IPv6  # noqa: E402
from scapy.layers.ipsec import AH, ESP, SecurityAssociation  # noqa: E402
from scapy.utils import rdpcap  # noqa: E402

LAYERS = {"ah": AH, "esp": ESP}


def association(sa):
    options = {"auth_algo": sa["auth"], "auth_key": bytes.fromhex(sa["auth_key"])}
    if "crypt" in sa:
        options.update(crypt_algo=sa["crypt"], crypt_key=bytes.fromhex(sa["crypt_key"]))
    if sa["tunnel"]:
        source, destination = sa["tunnel"]
        header = IPv6 if ":" in source else IP
        options["tunnel_header"] = header(src=source, dst=destination)
    return SecurityAssociation(LAYERS[sa["proto"]], spi=sa["spi"], **options)


def network_layer(frame):
    for layer in (IP, IPv6):
        if layer in frame:
            return layer(raw(frame[layer]))
    return None


def reparsed(packet):
    octets = raw(packet)
    return (IPv6 if octets[0] >> 4 == 6 else IP)(octets)


def opened(way, packet):
    for sa in way["sas"]:
        layer = packet.getlayer(LAYERS[sa["proto"]])
        if layer is None or layer.spi != sa["spi"]:
            raise ValueError("no %s with SPI %#x in %s" % (sa["proto"], sa["spi"], packet.summary()))
        # Read anew: what was inside is still unread octets.
        packet = reparsed(association(sa).decrypt(packet))
    if [packet.src, packet.dst] != way["inside"]:
        raise ValueError("inside is %s" % packet.summary())


def main():
    request = json.load(sys.stdin)
    counts = [0] * len(request["ways"])
    for frame in rdpcap(request["file"]):
        packet = network_layer(frame)
        if packet is None or not (packet.haslayer(AH) or packet.haslayer(ESP)):
            continue
        for number, way in enumerate(request["ways"]):
            if packet.src == way["source"]:
                opened(way, packet)
                counts[number] += 1
    print(json.dumps(counts))


try:
    main()
except Exception as error:  # whatever it is, it is the answer
    sys.exit("%s: %s" % (type(error).__name__, error))
