//! IPsec wire codecs: IPv4/IPv6, ESP, AH, UDP encapsulation, IKEv1 (ISAKMP); no_std, zero-copy, no crypto
#![forbid(unsafe_code)]
