//! IPsec gateways to embed or to run: IKE and the data plane joined, with TUN, UDP, raw and in-memory backends
#![forbid(unsafe_code)]
