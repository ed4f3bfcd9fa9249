//! Known answers of key exchange.

use super::hex;
use crate::group::KeyExchange;
use crate::random::SecureRandom;
use crate::suite::Group;

/// A private value, both public values and the shared secret.
struct CurveAnswer {
    group: Group,
    private: &'static [u8],
    public: &'static [u8],
    peer: &'static [u8],
    shared: &'static [u8],
}

/// RFC 5903 §8.1, §8.2, §8.3 and RFC 7748 §6.1.
const CURVES: &[CurveAnswer] = &[
    CurveAnswer {
        group: Group::Ecp256,
        private: &hex::<32>("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433"),
        public: &hex::<64>(
            "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
        ),
        peer: &hex::<64>(
            "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
        ),
        shared: &hex::<32>("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"),
    },
    CurveAnswer {
        group: Group::Ecp384,
        private: &hex::<48>(
            "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194",
        ),
        public: &hex::<96>(
            "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
        ),
        peer: &hex::<96>(
            "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
        ),
        shared: &hex::<48>(
            "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746",
        ),
    },
    CurveAnswer {
        group: Group::Ecp521,
        private: &hex::<66>(
            "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a095aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52",
        ),
        public: &hex::<132>(
            "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbee1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4a10ad8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582",
        ),
        peer: &hex::<132>(
            "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a219b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d9852077b87220b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0fc56a",
        ),
        shared: &hex::<66>(
            "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea",
        ),
    },
    CurveAnswer {
        group: Group::X25519,
        private: &hex::<32>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
        public: &hex::<32>("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
        peer: &hex::<32>("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
        shared: &hex::<32>("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
    },
];

/// The last octets of 2^x and of 2^(x^2), where x are the octets 1, 2, 3, … with the first bit set.
struct ModpAnswer {
    group: Group,
    public: [u8; 16],
    shared: [u8; 16],
}

/// No published answer has exponents as short as RFC 3526 §8 allows: made with the integers of Python.
const MODP: &[ModpAnswer] = &[
    ModpAnswer {
        group: Group::Modp768,
        public: hex("7c88396a0301c52c5680d938493a7e2a"),
        shared: hex("5ee6a3a0b6a43ce5779d0338d3fd586c"),
    },
    ModpAnswer {
        group: Group::Modp1024,
        public: hex("76cbca1f33a9144d5efe82341f719944"),
        shared: hex("d7ff0353c361bdd082d9328e99e179aa"),
    },
    ModpAnswer {
        group: Group::Modp1536,
        public: hex("e2859c4a64c197544e244a4c4ea2d0e8"),
        shared: hex("e7d9ba3b3095f71b614b3d49c1c9d802"),
    },
    ModpAnswer {
        group: Group::Modp2048,
        public: hex("8a3581aa3938913f836b46f35d4df552"),
        shared: hex("dc8674d26bcb3bb68bb6a99329680162"),
    },
    ModpAnswer {
        group: Group::Modp3072,
        public: hex("cfc5952b6dd17f70fd29385137001da6"),
        shared: hex("0d99bbacac190586f405fc3a3175cb96"),
    },
    ModpAnswer {
        group: Group::Modp4096,
        public: hex("7ee134e1a25c1e51ecb4667d3b77c332"),
        shared: hex("8061ce71d5c7fba89770ddf85ac4cb8b"),
    },
    ModpAnswer {
        group: Group::Modp6144,
        public: hex("a1dae19a402260fa6c9ded38ee4ad402"),
        shared: hex("b4c774a8818727e163a1dd5d5c626b7e"),
    },
    ModpAnswer {
        group: Group::Modp8192,
        public: hex("2681309b07bb7c2431c18158afeba32f"),
        shared: hex("35009b976c7b30e88f5ed8bf87dd3f21"),
    },
];

/// Gives octets that are known.
struct Known(&'static [u8]);

impl SecureRandom for Known {
    fn fill(&mut self, out: &mut [u8]) {
        let mut counted = 0u8;
        for (index, octet) in out.iter_mut().enumerate() {
            counted = counted.wrapping_add(1);
            *octet = self.0.get(index).copied().unwrap_or(counted);
        }
    }
}

/// Whether the group gives its known answer; not, if there is none.
pub(super) fn good(algorithm: &dyn KeyExchange) -> bool {
    let id = algorithm.id();
    if let Some(answer) = CURVES.iter().find(|answer| answer.group == id) {
        let pair = algorithm.generate(&mut Known(answer.private));
        return pair.public() == answer.public
            && pair.agree(answer.peer).is_ok_and(|shared| shared.ct_eq(answer.shared));
    }
    let Some(answer) = MODP.iter().find(|answer| answer.group == id) else { return false };
    let pair = algorithm.generate(&mut Known(&[]));
    let public = pair.public().to_vec();
    public.ends_with(&answer.public)
        && pair.agree(&public).is_ok_and(|shared| shared.as_slice().ends_with(&answer.shared))
}
