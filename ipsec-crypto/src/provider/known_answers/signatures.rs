//! Known answers of signatures: keys, and what they signed.
//!
//! The keys are public knowledge and protect nothing: those on curves and their signatures are RFC 4754 §8's, the RSA key and
//! its signatures were made with OpenSSL.

use super::hex;
use crate::suite::SignatureScheme;

pub(super) struct SignatureAnswer {
    pub(super) scheme: SignatureScheme,
    /// The private key in PKCS#8.
    pub(super) key: &'static [u8],
    pub(super) input: &'static [u8],
    pub(super) signature: &'static [u8],
}

const ECP256: &[u8] = &hex::<138>(
    "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420dc51d3866a15bacde33d96f992fca99da7e6ef09\
         34e7097559c27f1614c88a7fa144034200042442a5cc0ecd015fa3ca31dc8e2bbc70bf42d60cbca20085e0822cb04235e9706fc98bd7e502\
         11a4a27102fa3549df79ebcb4bf246b80945cddfe7d509bbfd7d",
);
const ECP384: &[u8] = &hex::<185>(
    "3081b6020100301006072a8648ce3d020106052b8104002204819e30819b02010104300beb646634ba87735d77ae4809a0ebea865535de4c\
         1e1dcb692e84708e81a5af62e528c38b2a81b35309668d73524d9fa1640362000496281bf8dd5e0525ca049c048d345d3082968d10fedf5c\
         5aca0c64e6465a97ea5ce10c9dfec21797415710721f437922447688ba94708eb6e2e4d59f6ab6d7edff9301d249fe49c33096655f5d502f\
         ad3d383b91c5e7edaa2b714cc99d5743ca",
);
const ECP521: &[u8] = &hex::<241>(
    "3081ee020100301006072a8648ce3d020106052b810400230481d63081d302010104420065fda3409451dcab0a0ead45495112a3d813c17b\
         fd34bdf8c1209d7df5849120597779060a7ff9d704adf78b570ffad6f062e95c7e0c5d5481c5b153b48b375fa1a181890381860004015151\
         8f1af0f563517edd5485190df95a4bf57b5cba4cf2a9a3f6474725a35f7afe0a6ddeb8bedbcd6a197e592d40188901cecd650699c9b5e456\
         aea5add19052a8006f3b142ea1bfff7e2837ad44c9e4ff6d2d34c73184bbad90026dd5e6e85317d9df45cad7803c6c20035b2f3ff63aff4e\
         1ba64d1c077577da3f4286c58f0aeae643",
);
const RSA: &[u8] = &hex::<633>(
    "30820275020100300d06092a864886f70d01010105000482025f3082025b02010002818100bae6780560c8d046ac5214bdec2e09b2e140b7\
         457ed4920b3f4ba6b5e0c8c571c92e9f656753731cb90a1f5def4551bc6aef250a8313abb3d1da3ea34e674792c28eb8be6b71123f9cb9b6\
         f20e7b1e61a77009c16f06fd29b1941b57fd90210668cfa1a87266bb2e48dcebbc15b2771aef6ae51c48e18f0bb596fae2c2fa03e9020301\
         0001028180719d2e329ebe14161224a765389057e6fc951993ce60ac12d83c45b0645fc7debe9c6fdaf5afbdd72508e93e71f82292b6327f\
         c2df21730c11b268c75f1edb5b69d71b60fc51916c032b09c9ab14b611c4542e22eec05bb12109bf3a122800de9e1fe7a66b9469bbbe5e4f\
         9cda5418bbbe3ed85bc6db79a2d48b251608f03dad024100ec861edcca4cdb5b086b7711a9f8a214e3728799d9ef09d09c149aab9334fb78\
         cd16d510b0ec9df4a64a5c86fa2020b57aaf118f12d7470d261cc5e71093d45f024100ca4a4a92a01a7488501ed8a0acb20790861576073d\
         e2e3adb8843fe88bd595bea82da2bd32a33644066784e2ef2319551541222b05c2d28c016389f5295f4cb702403509be51f46b57a50a364e\
         f4ff106a081518d19f86673be4339bcb333e475b3cb380b33692f5fc55a81474bb2fcb948a1d80b48748ca4d7c7d57666972263431024024\
         fa679f5dfcf80862fd00847e8d1cace295d1b9892a8c8c190ab3d4029bcc7fc9a66df53fe86de70974aaea00e4dda09bfe080ced44abd044\
         00ba1b42b0d509024040229b93c99c387f8b0d0234e90c2f6f169f66c887b20fb0e4ba7835a74b165c01d7b5dcd3df3003f77070ce2c7022\
         00ccf9f8a511f8a8f10c00c2c9d9c6f110",
);

pub(super) const SIGNATURES: &[SignatureAnswer] = &[
    SignatureAnswer {
        scheme: SignatureScheme::Ecdsa256Raw,
        key: ECP256,
        input: &hex::<32>("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        signature: &hex::<64>(
            "cb28e0999b9c7715fd0a80d8e47a77079716cbbf917dd72e97566ea1c066957c86fa3bb4e26cad5bf90b7f81899256ce7594bb1ea0c89212\
         748bff3b3d5b0315",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::Ecdsa256,
        key: ECP256,
        input: b"abc",
        signature: &hex::<64>(
            "cb28e0999b9c7715fd0a80d8e47a77079716cbbf917dd72e97566ea1c066957c86fa3bb4e26cad5bf90b7f81899256ce7594bb1ea0c89212\
         748bff3b3d5b0315",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::EcdsaSha256,
        key: ECP256,
        input: b"abc",
        signature: &hex::<72>(
            "3046022100cb28e0999b9c7715fd0a80d8e47a77079716cbbf917dd72e97566ea1c066957c02210086fa3bb4e26cad5bf90b7f81899256ce\
         7594bb1ea0c89212748bff3b3d5b0315",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::Ecdsa384Raw,
        key: ECP384,
        input: &hex::<48>(
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        signature: &hex::<96>(
            "fb017b914e29149432d8bac29a514640b46f53ddab2c69948084e2930f1c8f7e08e07c9c63f2d21a07dcb56a6af56eb3b263a1305e057f98\
         4d38726a1b46874109f417bca112674c528262a40a629af1cbb9f516ce0fa7d2ff630863a00e8b9f",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::Ecdsa384,
        key: ECP384,
        input: b"abc",
        signature: &hex::<96>(
            "fb017b914e29149432d8bac29a514640b46f53ddab2c69948084e2930f1c8f7e08e07c9c63f2d21a07dcb56a6af56eb3b263a1305e057f98\
         4d38726a1b46874109f417bca112674c528262a40a629af1cbb9f516ce0fa7d2ff630863a00e8b9f",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::EcdsaSha384,
        key: ECP384,
        input: b"abc",
        signature: &hex::<104>(
            "3066023100fb017b914e29149432d8bac29a514640b46f53ddab2c69948084e2930f1c8f7e08e07c9c63f2d21a07dcb56a6af56eb3023100\
         b263a1305e057f984d38726a1b46874109f417bca112674c528262a40a629af1cbb9f516ce0fa7d2ff630863a00e8b9f",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::Ecdsa521Raw,
        key: ECP521,
        input: &hex::<64>(
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e\
         2a9ac94fa54ca49f",
        ),
        signature: &hex::<132>(
            "0154fd3836af92d0dca57dd5341d3053988534fde8318fc6aaaab68e2e6f4339b19f2f281a7e0b22c269d93cf8794a9278880ed7dbb8d936\
         2caeacee544320552251017705a7030290d1ceb605a9a1bb03ff9cdd521e87a696ec926c8c10c8362df4975367101f67d1cf9bccbf2f3d23\
         9534fa509e70aac851ae01aac68d62f866472660",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::Ecdsa521,
        key: ECP521,
        input: b"abc",
        signature: &hex::<132>(
            "0154fd3836af92d0dca57dd5341d3053988534fde8318fc6aaaab68e2e6f4339b19f2f281a7e0b22c269d93cf8794a9278880ed7dbb8d936\
         2caeacee544320552251017705a7030290d1ceb605a9a1bb03ff9cdd521e87a696ec926c8c10c8362df4975367101f67d1cf9bccbf2f3d23\
         9534fa509e70aac851ae01aac68d62f866472660",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::EcdsaSha512,
        key: ECP521,
        input: b"abc",
        signature: &hex::<139>(
            "30818802420154fd3836af92d0dca57dd5341d3053988534fde8318fc6aaaab68e2e6f4339b19f2f281a7e0b22c269d93cf8794a9278880e\
         d7dbb8d9362caeacee5443205522510242017705a7030290d1ceb605a9a1bb03ff9cdd521e87a696ec926c8c10c8362df4975367101f67d1\
         cf9bccbf2f3d239534fa509e70aac851ae01aac68d62f866472660",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::RsaRaw,
        key: RSA,
        input: &hex::<20>("000102030405060708090a0b0c0d0e0f10111213"),
        signature: &hex::<128>(
            "54efa9f05f9db41cec5a214e4d6137ada0300904f9f635a57d33a544ca256479f9f8aa35bfb936b9cf14909b0d4c78c784ea56681d309a23\
         612435cd957453cd0782f4721e2e1b0d17194aabdc183ef44d7a29eb2b961cefdbbe5d7f8eac52823edba7797f2792d234ee216af4f5c152\
         73404e42f715d01c1271cfe4aeac97d7",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::RsaSha1,
        key: RSA,
        input: b"abc",
        signature: &hex::<128>(
            "42679a6e2226251d9765979f8688ebed2a135c51048492faa548a8fe6d2c39e4f135269d29b541eed017148d35c22b975a5ec1a907dd0b82\
         4f7c0f3c38cfeffcf4bc5ce16f7035f91f53296ca59e801043fb4651b11189bbd03bb8783817ed76dde1220c3ec80efd24adf47ef29bb1a8\
         ed51b66ed9415425b36856cd36d19393",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::RsaSha256,
        key: RSA,
        input: b"abc",
        signature: &hex::<128>(
            "b0f9d2ed361e8a4452e41735e43ef8ffaaa932aa9d4fc6b37e6a85dcc160aac525e601042526954a09a83197bc7512eda28cef792e72ba87\
         2f39fed33c0a989c99a308477500dc7e3c6c226d4fe0a9fde8c7c9399fc8f66c31a983fb32f9ca9ab3c90b83f7daf61ae72101db8c619e3f\
         7dede33dab1f2e0e6b1ac3a11f13d3ab",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::RsaSha384,
        key: RSA,
        input: b"abc",
        signature: &hex::<128>(
            "954df1b360d05746e99094df9a3dcef2502950ee4bdf9a7f0582ab7806ad25ede38fbf17c217dadb3a9234f4b5a118679fd0bb677ab565ca\
         e64cf6108f5bb3eb784c026e7596ddba76b2f9647e108e54813705c1d47a440743c4a2cba13722133bd15dee94b0c9666a00f8dba1878b68\
         9772cefa2f2ec98f896bc1f2f2000839",
        ),
    },
    SignatureAnswer {
        scheme: SignatureScheme::RsaSha512,
        key: RSA,
        input: b"abc",
        signature: &hex::<128>(
            "531624192ae55eb2283778d8cb5227059f7ab2e59e20a0a103f20ba9f075e7afca2971e43937ae6c953295fd8982ae9e8986fbe2bd6bf1c0\
         d8e297e2e80e9a849eb3de9875b4161b9dcf637e8a7c55b4351f7566687cc1b628fe4f56fec6b4a64fab32ee41f1e147d9ebc0b6dcd6b456\
         cd3627556802b6720cb0286eb521c550",
        ),
    },
];
