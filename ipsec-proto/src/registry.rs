//! IANA numbers as newtypes: the names are constants, unknown values survive a round trip.
//!
//! `Display` prints the registered name, or the type and the number (`ExchangeType(77)`) when there is none.

use core::fmt;

macro_rules! registry {
    ($($(#[$doc:meta])* $name:ident($width:ty) { $($(#[$const_doc:meta])* $constant:ident = $value:literal $text:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $width);

        impl $name {
            $($(#[$const_doc])* #[doc = concat!("`", $text, "` (", stringify!($value), ")")] pub const $constant: Self = Self($value);)+

            /// Every value with a name here, in numeric order.
            pub const NAMED: &'static [Self] = &[$(Self::$constant),+];

            /// The registered name, if the value has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => write!(f, concat!(stringify!($name), "({})"), self.0),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl From<$width> for $name {
            fn from(value: $width) -> Self {
                Self(value)
            }
        }
    )+};
}

registry! {
    /// An Internet protocol number (IANA "protocol-numbers"): the next header of IPv4, IPv6, ESP and AH.
    IpProtocol(u8) {
        HOPOPT = 0 "HOPOPT",
        ICMP = 1 "ICMP",
        IGMP = 2 "IGMP",
        IPV4 = 4 "IPv4",
        TCP = 6 "TCP",
        UDP = 17 "UDP",
        IPV6 = 41 "IPv6",
        IPV6_ROUTE = 43 "IPv6-Route",
        IPV6_FRAG = 44 "IPv6-Frag",
        GRE = 47 "GRE",
        ESP = 50 "ESP",
        AH = 51 "AH",
        ICMPV6 = 58 "IPv6-ICMP",
        IPV6_NO_NEXT = 59 "IPv6-NoNxt",
        IPV6_OPTS = 60 "IPv6-Opts",
        OSPF = 89 "OSPF",
        IPCOMP = 108 "IPComp",
        SCTP = 132 "SCTP",
        MOBILITY = 135 "Mobility Header",
        UDPLITE = 136 "UDPLite",
        HIP = 139 "HIP",
        SHIM6 = 140 "Shim6",
    }

    /// An ISAKMP exchange type (RFC 2408 §3.1, RFC 2409 appendix A, RFC 7296 §3.1). Display names are those operators know.
    ExchangeType(u8) {
        NONE = 0 "None",
        BASE = 1 "Base",
        IDENTITY_PROTECTION = 2 "Main Mode",
        AUTHENTICATION_ONLY = 3 "Authentication Only",
        AGGRESSIVE = 4 "Aggressive Mode",
        INFORMATIONAL = 5 "Informational",
        TRANSACTION = 6 "Transaction",
        QUICK_MODE = 32 "Quick Mode",
        NEW_GROUP_MODE = 33 "New Group Mode",
        IKE_SA_INIT = 34 "IKE_SA_INIT",
        IKE_AUTH = 35 "IKE_AUTH",
        CREATE_CHILD_SA = 36 "CREATE_CHILD_SA",
        IKEV2_INFORMATIONAL = 37 "INFORMATIONAL (IKEv2)",
    }

    /// An ISAKMP payload type, as it stands in the next payload fields (RFC 2408 §3.1, RFC 3947 §9).
    PayloadType(u8) {
        NONE = 0 "NONE",
        SA = 1 "SA",
        PROPOSAL = 2 "P",
        TRANSFORM = 3 "T",
        KE = 4 "KE",
        ID = 5 "ID",
        CERT = 6 "CERT",
        CR = 7 "CR",
        HASH = 8 "HASH",
        SIG = 9 "SIG",
        NONCE = 10 "NONCE",
        NOTIFY = 11 "N",
        DELETE = 12 "D",
        VENDOR = 13 "VID",
        ATTRIBUTES = 14 "ATTR",
        SAK = 15 "SAK",
        SAT = 16 "SAT",
        KD = 17 "KD",
        SEQ = 18 "SEQ",
        POP = 19 "POP",
        NAT_D = 20 "NAT-D",
        NAT_OA = 21 "NAT-OA",
        NAT_D_DRAFT = 130 "NAT-D (draft)",
        NAT_OA_DRAFT = 131 "NAT-OA (draft)",
        FRAGMENT = 132 "FRAG",
    }

    /// A Domain of Interpretation: whose numbers an SA, Notify or Delete payload uses (RFC 2408 §3.4).
    Doi(u32) {
        ISAKMP = 0 "ISAKMP",
        IPSEC = 1 "IPsec",
        GDOI = 2 "GDOI",
    }

    /// The situation bitmap of the IPsec DOI (RFC 2407 §4.2).
    Situation(u32) {
        IDENTITY_ONLY = 1 "SIT_IDENTITY_ONLY",
        SECRECY = 2 "SIT_SECRECY",
        INTEGRITY = 4 "SIT_INTEGRITY",
    }

    /// A security protocol identifier (RFC 2407 §4.4.1).
    ProtocolId(u8) {
        NONE = 0 "none",
        ISAKMP = 1 "ISAKMP",
        AH = 2 "AH",
        ESP = 3 "ESP",
        IPCOMP = 4 "IPCOMP",
    }

    /// A phase 1 transform identifier (RFC 2407 §4.4.2).
    IsakmpTransform(u8) {
        KEY_IKE = 1 "KEY_IKE",
    }

    /// An AH transform identifier (RFC 2407 §4.4.3, RFC 4868 §4, IANA "isakmp-registry").
    AhTransform(u8) {
        MD5 = 2 "AH_MD5",
        SHA = 3 "AH_SHA",
        DES = 4 "AH_DES",
        SHA2_256 = 5 "AH_SHA2-256",
        SHA2_384 = 6 "AH_SHA2-384",
        SHA2_512 = 7 "AH_SHA2-512",
        RIPEMD = 8 "AH_RIPEMD",
        AES_XCBC_MAC = 9 "AH_AES-XCBC-MAC",
        RSA = 10 "AH_RSA",
        AES_128_GMAC = 11 "AH_AES-128-GMAC",
        AES_192_GMAC = 12 "AH_AES-192-GMAC",
        AES_256_GMAC = 13 "AH_AES-256-GMAC",
    }

    /// An ESP transform identifier (RFC 2407 §4.4.4, IANA "isakmp-registry").
    EspTransform(u8) {
        DES_IV64 = 1 "DES-IV64",
        DES = 2 "DES-CBC",
        TRIPLE_DES = 3 "3DES-CBC",
        RC5 = 4 "RC5",
        IDEA = 5 "IDEA",
        CAST = 6 "CAST",
        BLOWFISH = 7 "Blowfish",
        TRIPLE_IDEA = 8 "3IDEA",
        DES_IV32 = 9 "DES-IV32",
        RC4 = 10 "RC4",
        NULL = 11 "NULL",
        AES_CBC = 12 "AES-CBC",
        AES_CTR = 13 "AES-CTR",
        AES_CCM_8 = 14 "AES-CCM-8",
        AES_CCM_12 = 15 "AES-CCM-12",
        AES_CCM_16 = 16 "AES-CCM-16",
        AES_GCM_8 = 18 "AES-GCM-8",
        AES_GCM_12 = 19 "AES-GCM-12",
        AES_GCM_16 = 20 "AES-GCM-16",
        SEED_CBC = 21 "SEED-CBC",
        CAMELLIA = 22 "Camellia-CBC",
        NULL_AUTH_AES_GMAC = 23 "NULL-AUTH-AES-GMAC",
    }

    /// An IPCOMP transform identifier (RFC 2407 §4.4.5).
    IpcompTransform(u8) {
        OUI = 1 "OUI",
        DEFLATE = 2 "DEFLATE",
        LZS = 3 "LZS",
        LZJH = 4 "LZJH",
    }

    /// A phase 1 attribute class (RFC 2409 appendix A).
    Phase1Attribute(u16) {
        ENCRYPTION = 1 "Encryption Algorithm",
        HASH = 2 "Hash Algorithm",
        AUTHENTICATION_METHOD = 3 "Authentication Method",
        GROUP = 4 "Group Description",
        GROUP_TYPE = 5 "Group Type",
        GROUP_PRIME = 6 "Group Prime",
        GROUP_GENERATOR_ONE = 7 "Group Generator One",
        GROUP_GENERATOR_TWO = 8 "Group Generator Two",
        GROUP_CURVE_A = 9 "Group Curve A",
        GROUP_CURVE_B = 10 "Group Curve B",
        LIFE_TYPE = 11 "Life Type",
        LIFE_DURATION = 12 "Life Duration",
        PRF = 13 "PRF",
        KEY_LENGTH = 14 "Key Length",
        FIELD_SIZE = 15 "Field Size",
        GROUP_ORDER = 16 "Group Order",
    }

    /// A phase 1 encryption algorithm (RFC 2409 appendix A, IANA "ipsec-registry").
    EncryptionAlgorithm(u16) {
        DES_CBC = 1 "DES-CBC",
        IDEA_CBC = 2 "IDEA-CBC",
        BLOWFISH_CBC = 3 "Blowfish-CBC",
        RC5_CBC = 4 "RC5-CBC",
        TRIPLE_DES_CBC = 5 "3DES-CBC",
        CAST_CBC = 6 "CAST-CBC",
        AES_CBC = 7 "AES-CBC",
        CAMELLIA_CBC = 8 "Camellia-CBC",
    }

    /// A phase 1 hash algorithm (RFC 2409 appendix A, RFC 4868 §4).
    HashAlgorithm(u16) {
        MD5 = 1 "MD5",
        SHA1 = 2 "SHA1",
        TIGER = 3 "Tiger",
        SHA2_256 = 4 "SHA2-256",
        SHA2_384 = 5 "SHA2-384",
        SHA2_512 = 6 "SHA2-512",
    }

    /// A phase 1 authentication method (RFC 2409 appendix A, RFC 4754 §7, draft-beaulieu-ike-xauth-02 §7.2, draft-ietf-ipsec-isakmp-hybrid-auth-05 §3.2.1).
    AuthenticationMethod(u16) {
        PSK = 1 "PSK",
        DSS_SIGNATURES = 2 "DSS-SIG",
        RSA_SIGNATURES = 3 "RSA-SIG",
        RSA_ENCRYPTION = 4 "RSA-ENC",
        RSA_REVISED_ENCRYPTION = 5 "RSA-REV-ENC",
        ECDSA_256 = 9 "ECDSA-256",
        ECDSA_384 = 10 "ECDSA-384",
        ECDSA_521 = 11 "ECDSA-521",
        HYBRID_INIT_RSA = 64221 "HybridInitRSA",
        HYBRID_RESP_RSA = 64222 "HybridRespRSA",
        HYBRID_INIT_DSS = 64223 "HybridInitDSS",
        HYBRID_RESP_DSS = 64224 "HybridRespDSS",
        XAUTH_INIT_PSK = 65001 "XAUTHInitPreShared",
        XAUTH_RESP_PSK = 65002 "XAUTHRespPreShared",
        XAUTH_INIT_DSS = 65003 "XAUTHInitDSS",
        XAUTH_RESP_DSS = 65004 "XAUTHRespDSS",
        XAUTH_INIT_RSA = 65005 "XAUTHInitRSA",
        XAUTH_RESP_RSA = 65006 "XAUTHRespRSA",
        XAUTH_INIT_RSA_ENCRYPTION = 65007 "XAUTHInitRSAEncryption",
        XAUTH_RESP_RSA_ENCRYPTION = 65008 "XAUTHRespRSAEncryption",
        XAUTH_INIT_RSA_REVISED_ENCRYPTION = 65009 "XAUTHInitRSARevisedEncryption",
        XAUTH_RESP_RSA_REVISED_ENCRYPTION = 65010 "XAUTHRespRSARevisedEncryption",
    }

    /// A Diffie-Hellman group (RFC 2409 §6, RFC 3526, RFC 5903, RFC 5114, RFC 6932).
    GroupDescription(u16) {
        MODP_768 = 1 "MODP768",
        MODP_1024 = 2 "MODP1024",
        EC2N_155 = 3 "EC2N155",
        EC2N_185 = 4 "EC2N185",
        MODP_1536 = 5 "MODP1536",
        MODP_2048 = 14 "MODP2048",
        MODP_3072 = 15 "MODP3072",
        MODP_4096 = 16 "MODP4096",
        MODP_6144 = 17 "MODP6144",
        MODP_8192 = 18 "MODP8192",
        ECP_256 = 19 "ECP256",
        ECP_384 = 20 "ECP384",
        ECP_521 = 21 "ECP521",
        MODP_1024_160 = 22 "MODP1024-160",
        MODP_2048_224 = 23 "MODP2048-224",
        MODP_2048_256 = 24 "MODP2048-256",
        ECP_192 = 25 "ECP192",
        ECP_224 = 26 "ECP224",
        BRAINPOOL_P224R1 = 27 "brainpoolP224r1",
        BRAINPOOL_P256R1 = 28 "brainpoolP256r1",
        BRAINPOOL_P384R1 = 29 "brainpoolP384r1",
        BRAINPOOL_P512R1 = 30 "brainpoolP512r1",
    }

    /// The unit of a life duration, with the same numbers in both phases (RFC 2409 appendix A, RFC 2407 §4.5).
    LifeType(u16) {
        SECONDS = 1 "seconds",
        KILOBYTES = 2 "kilobytes",
    }

    /// A phase 2 attribute class of the IPsec DOI (RFC 2407 §4.5, RFC 3168 §9.2.1, RFC 4304 §2).
    Phase2Attribute(u16) {
        LIFE_TYPE = 1 "SA Life Type",
        LIFE_DURATION = 2 "SA Life Duration",
        GROUP = 3 "Group Description",
        ENCAPSULATION_MODE = 4 "Encapsulation Mode",
        AUTHENTICATION_ALGORITHM = 5 "Authentication Algorithm",
        KEY_LENGTH = 6 "Key Length",
        KEY_ROUNDS = 7 "Key Rounds",
        COMPRESS_DICTIONARY_SIZE = 8 "Compress Dictionary Size",
        COMPRESS_PRIVATE_ALGORITHM = 9 "Compress Private Algorithm",
        ECN_TUNNEL = 10 "ECN Tunnel",
        EXTENDED_SEQUENCE_NUMBER = 11 "Extended (64-bit) Sequence Number",
    }

    /// An encapsulation mode (RFC 2407 §4.5, RFC 3947 §5.1, draft-ietf-ipsec-nat-t-ike-03 §4.1).
    EncapsulationMode(u16) {
        TUNNEL = 1 "Tunnel",
        TRANSPORT = 2 "Transport",
        UDP_TUNNEL = 3 "UDP-Encapsulated-Tunnel",
        UDP_TRANSPORT = 4 "UDP-Encapsulated-Transport",
        UDP_TUNNEL_DRAFT = 61443 "UDP-Encapsulated-Tunnel (draft)",
        UDP_TRANSPORT_DRAFT = 61444 "UDP-Encapsulated-Transport (draft)",
    }

    /// A phase 2 integrity algorithm (RFC 2407 §4.5, RFC 4868 §4, IANA "isakmp-registry").
    AuthenticationAlgorithm(u16) {
        HMAC_MD5 = 1 "HMAC-MD5",
        HMAC_SHA1 = 2 "HMAC-SHA1",
        DES_MAC = 3 "DES-MAC",
        KPDK = 4 "KPDK",
        HMAC_SHA2_256 = 5 "HMAC-SHA2-256",
        HMAC_SHA2_384 = 6 "HMAC-SHA2-384",
        HMAC_SHA2_512 = 7 "HMAC-SHA2-512",
        HMAC_RIPEMD = 8 "HMAC-RIPEMD",
        AES_XCBC_MAC = 9 "AES-XCBC-MAC",
        SIG_RSA = 10 "SIG-RSA",
        AES_128_GMAC = 11 "AES-128-GMAC",
        AES_192_GMAC = 12 "AES-192-GMAC",
        AES_256_GMAC = 13 "AES-256-GMAC",
    }

    /// The type of an identity (RFC 2407 §4.6.2.1).
    IdType(u8) {
        IPV4_ADDR = 1 "ID_IPV4_ADDR",
        FQDN = 2 "ID_FQDN",
        USER_FQDN = 3 "ID_USER_FQDN",
        IPV4_ADDR_SUBNET = 4 "ID_IPV4_ADDR_SUBNET",
        IPV6_ADDR = 5 "ID_IPV6_ADDR",
        IPV6_ADDR_SUBNET = 6 "ID_IPV6_ADDR_SUBNET",
        IPV4_ADDR_RANGE = 7 "ID_IPV4_ADDR_RANGE",
        IPV6_ADDR_RANGE = 8 "ID_IPV6_ADDR_RANGE",
        DER_ASN1_DN = 9 "ID_DER_ASN1_DN",
        DER_ASN1_GN = 10 "ID_DER_ASN1_GN",
        KEY_ID = 11 "ID_KEY_ID",
        LIST = 12 "ID_LIST",
    }

    /// The kind of certificate in a CERT or CR payload (RFC 2408 §3.9).
    CertEncoding(u8) {
        NONE = 0 "NONE",
        PKCS7 = 1 "PKCS #7",
        PGP = 2 "PGP",
        DNS_SIGNED_KEY = 3 "DNS Signed Key",
        X509_SIGNATURE = 4 "X.509 Signature",
        X509_KEY_EXCHANGE = 5 "X.509 Key Exchange",
        KERBEROS = 6 "Kerberos Tokens",
        CRL = 7 "CRL",
        ARL = 8 "ARL",
        SPKI = 9 "SPKI",
        X509_ATTRIBUTE = 10 "X.509 Attribute",
    }

    /// A Notify message type: errors up to 16383, status from 16384 (RFC 2408 §3.14.1, RFC 2407 §4.6.3, RFC 3706 §5.2).
    NotifyType(u16) {
        INVALID_PAYLOAD_TYPE = 1 "INVALID-PAYLOAD-TYPE",
        DOI_NOT_SUPPORTED = 2 "DOI-NOT-SUPPORTED",
        SITUATION_NOT_SUPPORTED = 3 "SITUATION-NOT-SUPPORTED",
        INVALID_COOKIE = 4 "INVALID-COOKIE",
        INVALID_MAJOR_VERSION = 5 "INVALID-MAJOR-VERSION",
        INVALID_MINOR_VERSION = 6 "INVALID-MINOR-VERSION",
        INVALID_EXCHANGE_TYPE = 7 "INVALID-EXCHANGE-TYPE",
        INVALID_FLAGS = 8 "INVALID-FLAGS",
        INVALID_MESSAGE_ID = 9 "INVALID-MESSAGE-ID",
        INVALID_PROTOCOL_ID = 10 "INVALID-PROTOCOL-ID",
        INVALID_SPI = 11 "INVALID-SPI",
        INVALID_TRANSFORM_ID = 12 "INVALID-TRANSFORM-ID",
        ATTRIBUTES_NOT_SUPPORTED = 13 "ATTRIBUTES-NOT-SUPPORTED",
        NO_PROPOSAL_CHOSEN = 14 "NO-PROPOSAL-CHOSEN",
        BAD_PROPOSAL_SYNTAX = 15 "BAD-PROPOSAL-SYNTAX",
        PAYLOAD_MALFORMED = 16 "PAYLOAD-MALFORMED",
        INVALID_KEY_INFORMATION = 17 "INVALID-KEY-INFORMATION",
        INVALID_ID_INFORMATION = 18 "INVALID-ID-INFORMATION",
        INVALID_CERT_ENCODING = 19 "INVALID-CERT-ENCODING",
        INVALID_CERTIFICATE = 20 "INVALID-CERTIFICATE",
        CERT_TYPE_UNSUPPORTED = 21 "CERT-TYPE-UNSUPPORTED",
        INVALID_CERT_AUTHORITY = 22 "INVALID-CERT-AUTHORITY",
        INVALID_HASH_INFORMATION = 23 "INVALID-HASH-INFORMATION",
        AUTHENTICATION_FAILED = 24 "AUTHENTICATION-FAILED",
        INVALID_SIGNATURE = 25 "INVALID-SIGNATURE",
        ADDRESS_NOTIFICATION = 26 "ADDRESS-NOTIFICATION",
        NOTIFY_SA_LIFETIME = 27 "NOTIFY-SA-LIFETIME",
        CERTIFICATE_UNAVAILABLE = 28 "CERTIFICATE-UNAVAILABLE",
        UNSUPPORTED_EXCHANGE_TYPE = 29 "UNSUPPORTED-EXCHANGE-TYPE",
        UNEQUAL_PAYLOAD_LENGTHS = 30 "UNEQUAL-PAYLOAD-LENGTHS",
        CONNECTED = 16384 "CONNECTED",
        RESPONDER_LIFETIME = 24576 "RESPONDER-LIFETIME",
        REPLAY_STATUS = 24577 "REPLAY-STATUS",
        INITIAL_CONTACT = 24578 "INITIAL-CONTACT",
        R_U_THERE = 36136 "R-U-THERE",
        R_U_THERE_ACK = 36137 "R-U-THERE-ACK",
    }
}

impl NotifyType {
    /// Whether the number lies in the error half, 1..=16383 (RFC 2408 §3.14.1).
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 >= 1 && self.0 <= 16383
    }
}

impl EncapsulationMode {
    /// Whether the mode is one of the four that wrap ESP in UDP (RFC 3947 §5.1 and its drafts).
    #[must_use]
    pub const fn is_udp(self) -> bool {
        matches!(
            self,
            Self::UDP_TUNNEL | Self::UDP_TRANSPORT | Self::UDP_TUNNEL_DRAFT | Self::UDP_TRANSPORT_DRAFT
        )
    }

    /// Whether the mode is tunnel mode, bare or in UDP.
    #[must_use]
    pub const fn is_tunnel(self) -> bool {
        matches!(self, Self::TUNNEL | Self::UDP_TUNNEL | Self::UDP_TUNNEL_DRAFT)
    }
}

impl PayloadType {
    /// Whether this is a NAT discovery payload, by its assigned number or by that of the drafts.
    #[must_use]
    pub const fn is_nat_d(self) -> bool {
        matches!(self, Self::NAT_D | Self::NAT_D_DRAFT)
    }

    /// Whether this is a NAT original address payload, by its assigned number or by that of the drafts.
    #[must_use]
    pub const fn is_nat_oa(self) -> bool {
        matches!(self, Self::NAT_OA | Self::NAT_OA_DRAFT)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn names_print_and_unknown_values_survive() {
        assert_eq!(format!("{}", ExchangeType::IDENTITY_PROTECTION), "Main Mode");
        assert_eq!(format!("{:?}", ExchangeType(77)), "ExchangeType(77)");
        assert_eq!(NotifyType(36136).name(), Some("R-U-THERE"));
        assert_eq!(PayloadType::from(200).0, 200);
    }

    #[test]
    fn named_values_are_sorted_and_unique() {
        assert!(NotifyType::NAMED.is_sorted_by(|a, b| a < b));
        assert!(PayloadType::NAMED.is_sorted_by(|a, b| a < b));
        assert!(GroupDescription::NAMED.is_sorted_by(|a, b| a < b));
        assert!(AuthenticationMethod::NAMED.is_sorted_by(|a, b| a < b));
        assert!(EspTransform::NAMED.is_sorted_by(|a, b| a < b));
        assert!(IpProtocol::NAMED.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn notify_types_split_into_errors_and_status() {
        assert!(NotifyType::NO_PROPOSAL_CHOSEN.is_error());
        assert!(!NotifyType::INITIAL_CONTACT.is_error() && !NotifyType(0).is_error());
    }
}
