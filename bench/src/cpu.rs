//! The processor that the figures were taken on.

use std::fs;

/// Of a processor's features, those that the algorithms' implementations choose by.
const TELLING: [&str; 16] = [
    "aes",
    "pclmulqdq",
    "avx2",
    "bmi2",
    "adx",
    "sha_ni",
    "vaes",
    "vpclmulqdq",
    "gfni",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512ifma",
    "pmull",
    "sha1",
    "sha2",
];

/// Its name and what it can do, in one line.
pub fn describe() -> String {
    describe_from(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default())
}

fn describe_from(info: &str) -> String {
    let field = |wanted: &str| {
        let named = info.lines().filter_map(|line| line.split_once(':'));
        named
            .map(|(name, value)| (name.trim(), value.trim()))
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
    };
    let features = field("flags").or_else(|| field("Features")).unwrap_or_default();
    let telling = TELLING.iter().filter(|&&wanted| features.split(' ').any(|it| it == wanted));
    format!(
        "{} (family {}, model {}): {}",
        field("model name").unwrap_or(std::env::consts::ARCH),
        field("cpu family").unwrap_or("?"),
        field("model").unwrap_or("?"),
        telling.copied().collect::<Vec<_>>().join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_of_the_first_processor() {
        let info = "cpu family\t: 6\nmodel\t\t: 207\nmodel name\t: A: B\nflags\t\t: fpu vaes avx512f\n\nmodel name\t: other\n";
        assert_eq!(describe_from(info), "A: B (family 6, model 207): vaes avx512f");
        assert!(describe_from("").ends_with("(family ?, model ?): "));
    }
}
