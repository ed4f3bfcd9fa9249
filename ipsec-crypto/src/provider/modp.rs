//! The MODP groups of RFC 2409 §6 and RFC 3526.
//!
//! The private exponent is as short as RFC 3526 §8 allows by its larger estimate of strength, rounded up, with its top bit set: that
//! makes 2^x exceed the prime, so that no public value is 1. The time of an exponentiation depends on the sizes of prime and
//! exponent only.

use std::fmt;
use std::marker::PhantomData;
use std::sync::OnceLock;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use zeroize::Zeroizing;

use crate::error::CryptoError;
use crate::group::{KeyExchange, KeyPair, check_modp_public};
use crate::random::SecureRandom;
use crate::secret::Secret;
use crate::suite::Group;

/// A safe prime whose group has generator 2.
pub(super) struct Modp {
    id: Group,
    prime: &'static str,
    exponent_bits: u32,
}

impl Modp {
    pub(super) const fn new(id: Group, prime: &'static str, exponent_bits: u32) -> Self {
        Self { id, prime, exponent_bits }
    }

    /// The prime, big-endian.
    fn prime(&self) -> Box<[u8]> {
        let prime = BoxedUint::from_be_hex(self.prime, self.prime.len() as u32 * 4);
        prime.into_option().expect("the primes are written in hexadecimal").to_be_bytes()
    }
}

/// One modulus, prepared for raising numbers to secret powers.
pub(super) trait Modulus: Send + Sync + Sized + 'static {
    /// Where the moduli of this kind are kept once they are prepared.
    fn places() -> &'static Places<Self>;

    /// Prepares an odd modulus, big-endian.
    fn new(modulus: &[u8]) -> Self;

    /// `base ^ exponent`, as long as the modulus, in a time that depends on the lengths only; `base` is below the modulus.
    fn power(&self, base: &[u8], exponent: &[u8]) -> Secret;
}

/// Each group's prime and modulus, by the group's number. They are not in [`Modp`], since a constant that refers to what changes
/// behind it is an error in Rust 1.89.
pub(super) type Places<M> = [OnceLock<(Box<[u8]>, M)>; 19];

/// Montgomery's form and a fixed-window ladder, by `crypto-bigint`.
pub(super) struct Montgomery(BoxedMontyParams);

impl Modulus for Montgomery {
    fn places() -> &'static Places<Self> {
        static PLACES: Places<Montgomery> = [const { OnceLock::new() }; 19];
        &PLACES
    }

    fn new(modulus: &[u8]) -> Self {
        let modulus = BoxedUint::from_be_slice_truncated(modulus, modulus.len() as u32 * 8);
        Self(BoxedMontyParams::new(Odd::new(modulus).into_option().expect("the primes are odd")))
    }

    fn power(&self, base: &[u8], exponent: &[u8]) -> Secret {
        let bits = exponent.len() as u32 * 8;
        let exponent = Zeroizing::new(BoxedUint::from_be_slice_truncated(exponent, bits));
        let base = BoxedUint::from_be_slice_truncated(base, self.0.bits_precision());
        let power = Zeroizing::new(BoxedMontyForm::new(base, &self.0).pow_bounded_exp(&exponent, bits));
        let power = Zeroizing::new(power.retrieve());
        Secret::from_slice(&Zeroizing::new(power.to_be_bytes()))
    }
}

/// One group, with the arithmetic of one provider.
pub(super) struct ModpGroup<M>(&'static Modp, PhantomData<fn() -> M>);

impl<M: Modulus> ModpGroup<M> {
    pub(super) const fn new(group: &'static Modp) -> Self {
        Self(group, PhantomData)
    }

    /// The prime and the modulus, prepared at first use.
    fn prepared(&self) -> &'static (Box<[u8]>, M) {
        let place = M::places()
            .get(usize::from(self.0.id.number()))
            .expect("the MODP groups here have numbers up to 18");
        place.get_or_init(|| {
            let prime = self.0.prime();
            let modulus = M::new(&prime);
            (prime, modulus)
        })
    }
}

impl<M> fmt::Debug for ModpGroup<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyExchange({})", self.0.id)
    }
}

impl<M: Modulus> KeyExchange for ModpGroup<M> {
    fn id(&self) -> Group {
        self.0.id
    }

    fn public_len(&self) -> usize {
        self.0.prime.len() / 2
    }

    fn check_public(&self, peer: &[u8]) -> Result<(), CryptoError> {
        check_modp_public(self.0.id, &self.prepared().0, peer)
    }

    fn generate(&self, random: &mut dyn SecureRandom) -> Box<dyn KeyPair> {
        let mut exponent = Zeroizing::new(vec![0; self.0.exponent_bits as usize / 8]);
        random.fill(&mut exponent);
        if let Some(first) = exponent.first_mut() {
            *first |= 0x80;
        }
        let public = self.prepared().1.power(&[2], &exponent).as_slice().to_vec();
        Box::new(ModpKeyPair { group: Self(self.0, PhantomData), exponent, public })
    }
}

struct ModpKeyPair<M> {
    group: ModpGroup<M>,
    exponent: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl<M: Modulus> KeyPair for ModpKeyPair<M> {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        self.group.check_public(peer)?;
        Ok(self.group.prepared().1.power(peer, &self.exponent))
    }
}

impl<M> fmt::Debug for ModpKeyPair<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.group.0.id)
    }
}

pub(super) static P2048: Modp = Modp::new(
    Group::Modp2048,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
     E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
     15728E5A8AACAA68FFFFFFFFFFFFFFFF",
    320,
);

pub(super) static P3072: Modp = Modp::new(
    Group::Modp3072,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
     E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
     15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
     ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C\
     BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    448,
);

pub(super) static P4096: Modp = Modp::new(
    Group::Modp4096,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
     E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
     15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
     ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C\
     BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A92108011A723C12A787E6D7\
     88719A10BDBA5B2699C327186AF4E23C1A946834B6150BDA2583E9CA2AD44CE8DBBBC2DB04DE8EF92E8EFC141FBECAA6\
     287C59474E6BC05D99B2964FA090C3A2233BA186515BE7ED1F612970CEE2D7AFB81BDD762170481CD0069127D5B05AA9\
     93B4EA988D8FDDC186FFB7DC90A6C08F4DF435C934063199FFFFFFFFFFFFFFFF",
    512,
);

pub(super) static P6144: Modp = Modp::new(
    Group::Modp6144,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
     E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
     15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
     ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C\
     BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A92108011A723C12A787E6D7\
     88719A10BDBA5B2699C327186AF4E23C1A946834B6150BDA2583E9CA2AD44CE8DBBBC2DB04DE8EF92E8EFC141FBECAA6\
     287C59474E6BC05D99B2964FA090C3A2233BA186515BE7ED1F612970CEE2D7AFB81BDD762170481CD0069127D5B05AA9\
     93B4EA988D8FDDC186FFB7DC90A6C08F4DF435C93402849236C3FAB4D27C7026C1D4DCB2602646DEC9751E763DBA37BD\
     F8FF9406AD9E530EE5DB382F413001AEB06A53ED9027D831179727B0865A8918DA3EDBEBCF9B14ED44CE6CBACED4BB1B\
     DB7F1447E6CC254B332051512BD7AF426FB8F401378CD2BF5983CA01C64B92ECF032EA15D1721D03F482D7CE6E74FEF6\
     D55E702F46980C82B5A84031900B1C9E59E7C97FBEC7E8F323A97A7E36CC88BE0F1D45B7FF585AC54BD407B22B4154AA\
     CC8F6D7EBF48E1D814CC5ED20F8037E0A79715EEF29BE32806A1D58BB7C5DA76F550AA3D8A1FBFF0EB19CCB1A313D55C\
     DA56C9EC2EF29632387FE8D76E3C0468043E8F663F4860EE12BF2D5B0B7474D6E694F91E6DCC4024FFFFFFFFFFFFFFFF",
    576,
);

pub(super) static P8192: Modp = Modp::new(
    Group::Modp8192,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
     E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
     15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
     ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C\
     BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A92108011A723C12A787E6D7\
     88719A10BDBA5B2699C327186AF4E23C1A946834B6150BDA2583E9CA2AD44CE8DBBBC2DB04DE8EF92E8EFC141FBECAA6\
     287C59474E6BC05D99B2964FA090C3A2233BA186515BE7ED1F612970CEE2D7AFB81BDD762170481CD0069127D5B05AA9\
     93B4EA988D8FDDC186FFB7DC90A6C08F4DF435C93402849236C3FAB4D27C7026C1D4DCB2602646DEC9751E763DBA37BD\
     F8FF9406AD9E530EE5DB382F413001AEB06A53ED9027D831179727B0865A8918DA3EDBEBCF9B14ED44CE6CBACED4BB1B\
     DB7F1447E6CC254B332051512BD7AF426FB8F401378CD2BF5983CA01C64B92ECF032EA15D1721D03F482D7CE6E74FEF6\
     D55E702F46980C82B5A84031900B1C9E59E7C97FBEC7E8F323A97A7E36CC88BE0F1D45B7FF585AC54BD407B22B4154AA\
     CC8F6D7EBF48E1D814CC5ED20F8037E0A79715EEF29BE32806A1D58BB7C5DA76F550AA3D8A1FBFF0EB19CCB1A313D55C\
     DA56C9EC2EF29632387FE8D76E3C0468043E8F663F4860EE12BF2D5B0B7474D6E694F91E6DBE115974A3926F12FEE5E4\
     38777CB6A932DF8CD8BEC4D073B931BA3BC832B68D9DD300741FA7BF8AFC47ED2576F6936BA424663AAB639C5AE4F568\
     3423B4742BF1C978238F16CBE39D652DE3FDB8BEFC848AD922222E04A4037C0713EB57A81A23F0C73473FC646CEA306B\
     4BCBC8862F8385DDFA9D4B7FA2C087E879683303ED5BDD3A062B3CF5B3A278A66D2A13F83F44F82DDF310EE074AB6A36\
     4597E899A0255DC164F31CC50846851DF9AB48195DED7EA1B1D510BD7EE74D73FAF36BC31ECFA268359046F4EB879F92\
     4009438B481C6CD7889A002ED5EE382BC9190DA6FC026E479558E4475677E9AA9E3050E2765694DFC81F56E880B96E71\
     60C980DD98EDD3DFFFFFFFFFFFFFFFFF",
    640,
);

#[cfg(test)]
mod tests {
    use num_bigint::{BigInt, BigUint};

    use super::*;
    use crate::error::PublicValueFault;
    use crate::random::Seeded;

    /// pi * 2^bits by Machin's formula, rounded down; the guard bits swallow the truncations.
    fn pi(bits: u32) -> BigInt {
        let guard = 64;
        let arctan_inverse = |x: u32| {
            let (mut sum, mut term) = (BigInt::ZERO, (BigInt::from(1) << (bits + guard)) / x);
            for n in 0u32.. {
                if term == BigInt::ZERO {
                    break;
                }
                let part = &term / (2 * n + 1);
                sum = if n % 2 == 0 { sum + part } else { sum - part };
                term /= x * x;
            }
            sum
        };
        (BigInt::from(16) * arctan_inverse(5) - BigInt::from(4) * arctan_inverse(239)) >> guard
    }

    /// Bits, k of "2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + k)" (RFC 2409 §6, RFC 3526).
    #[cfg(feature = "legacy")]
    const LEGACY: &[(&Modp, u32, u32)] = &[
        (&legacy_groups::P768, 768, 149_686),
        (&legacy_groups::P1024, 1024, 129_093),
        (&legacy_groups::P1536, 1536, 741_804),
    ];
    #[cfg(not(feature = "legacy"))]
    const LEGACY: &[(&Modp, u32, u32)] = &[];

    #[cfg(feature = "legacy")]
    use crate::provider::legacy as legacy_groups;

    const FORMULAS: &[(&Modp, u32, u32)] = &[
        (&P2048, 2048, 124_476),
        (&P3072, 3072, 1_690_314),
        (&P4096, 4096, 240_904),
        (&P6144, 6144, 929_484),
        (&P8192, 8192, 4_743_158),
    ];

    fn all() -> impl Iterator<Item = (&'static Modp, u32, u32)> {
        FORMULAS.iter().chain(LEGACY).copied()
    }

    /// Every group with every arithmetic.
    fn groups() -> Vec<(Box<dyn KeyExchange>, &'static Modp)> {
        let mut groups: Vec<(Box<dyn KeyExchange>, _)> = Vec::new();
        for (modp, ..) in all() {
            groups.push((Box::new(ModpGroup::<Montgomery>::new(modp)), modp));
            #[cfg(feature = "fast")]
            groups.push((Box::new(ModpGroup::<crate::provider::fast::ffi::Modulus>::new(modp)), modp));
        }
        groups
    }

    #[test]
    fn primes_are_those_of_the_formula() {
        for (group, n, k) in all() {
            let one = || BigInt::from(1);
            let expected = (one() << n) - (one() << (n - 64)) - 1 + ((pi(n - 130) + k) << 64);
            let prime = BigInt::from(BigUint::from_bytes_be(&group.prime()));
            assert_eq!(prime, expected, "{n}");
        }
    }

    #[test]
    fn agreement_is_what_plain_arithmetic_gives() {
        let mut random = Seeded::from_u64(3526);
        for (group, modp) in groups() {
            let bits = modp.prime.len() as u32 * 4;
            let (a, b) = (group.generate(&mut random), group.generate(&mut random));
            let (to_a, to_b) = (b.public().to_vec(), a.public().to_vec());
            assert_eq!(to_a.len(), bits as usize / 8);
            let shared = a.agree(&to_a).unwrap();
            assert!(shared.ct_eq(b.agree(&to_b).unwrap().as_slice()), "{group:?}");

            let mut exponent = vec![0; modp.exponent_bits as usize / 8];
            let (mut oracle, peer) = (Seeded::from_u64(bits.into()), &to_a);
            oracle.fill(&mut exponent);
            exponent[0] |= 0x80;
            let ours = group.generate(&mut Seeded::from_u64(bits.into()));
            let prime = BigUint::from_bytes_be(&modp.prime());
            let exponent = BigUint::from_bytes_be(&exponent);
            let public = BigUint::from(2u8).modpow(&exponent, &prime);
            assert_eq!(BigUint::from_bytes_be(ours.public()), public);
            let shared = ours.agree(peer).unwrap();
            assert_eq!(
                BigUint::from_bytes_be(shared.as_slice()),
                BigUint::from_bytes_be(peer).modpow(&exponent, &prime)
            );
        }
    }

    #[test]
    fn a_short_result_keeps_its_leading_zeros() {
        for (group, _) in groups().into_iter().filter(|(_, modp)| modp.id == Group::Modp2048) {
            let mut random = Seeded::from_u64(0);
            let peer = group.generate(&mut random).public().to_vec();
            let zero_led = (0..4000).any(|_| {
                let pair = group.generate(&mut random);
                assert_eq!(pair.public().len(), 256);
                let public_led = pair.public()[0] == 0;
                let shared = pair.agree(&peer).unwrap();
                assert_eq!(shared.len(), 256);
                public_led || shared.as_slice()[0] == 0
            });
            assert!(zero_led, "one value in 256 starts with a zero octet");
        }
    }

    #[test]
    fn weak_public_values_are_refused() {
        for (group, modp) in groups() {
            let prime = BigUint::from_bytes_be(&modp.prime());
            let len = group.public_len();
            let padded = |value: BigUint| {
                let octets = value.to_bytes_be();
                [vec![0; len - octets.len()], octets].concat()
            };
            let agree = |peer: &[u8]| {
                let agreed = group.generate(&mut Seeded::from_u64(1)).agree(peer);
                assert_eq!(group.check_public(peer).err(), agreed.as_ref().err().cloned());
                agreed
            };
            let fault = |peer: &[u8]| match agree(peer) {
                Err(CryptoError::BadPublicValue { reason, .. }) => Some(reason),
                _ => None,
            };
            for small in [0u8, 1] {
                assert_eq!(fault(&padded(small.into())), Some(PublicValueFault::TooSmall));
            }
            for large in [&prime - 1u8, prime.clone(), &prime + 1u8] {
                assert_eq!(fault(&padded(large)), Some(PublicValueFault::TooLarge));
            }
            assert!(agree(&padded(2u8.into())).is_ok());
            assert!(agree(&padded(&prime - 2u8)).is_ok());
            let length = |got| Some(PublicValueFault::Length { expected: len, got });
            assert_eq!(fault(&[2]), length(1));
            assert_eq!(fault(&[&[0], &padded(2u8.into())[..]].concat()), length(len + 1));
        }
    }
}
