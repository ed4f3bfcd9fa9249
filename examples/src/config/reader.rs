//! Strict reading of one TOML table: each key is asked for once, and what nobody asked for is a fault.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Collector, Span};
use super::values::At;

/// One table under reading.
pub(crate) struct Section<'t, 'i> {
    /// What the table is called in messages.
    title: &'static str,
    table: &'t DeTable<'i>,
    span: Span,
    known: Vec<&'static str>,
}

impl<'t, 'i> Section<'t, 'i> {
    pub(crate) const fn new(title: &'static str, table: &'t DeTable<'i>, span: Span) -> Self {
        Self { title, table, span, known: Vec::new() }
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Whether the key is written, with a good value or a bad one.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn take(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.table.get(key)
    }

    /// A value of one kind. `None` where it is absent or, with a fault noted, of another kind.
    fn value<T>(
        &mut self,
        faults: &mut Collector<'_>,
        key: &'static str,
        kind: &str,
        read: impl FnOnce(&'t DeValue<'i>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.take(key)?;
        let found = read(value.get_ref());
        if found.is_none() {
            let other = value.get_ref().type_str();
            faults.add(&value.span(), format!("`{key}` is a value of type {other}"), format!("write {kind}"));
        }
        found.map(|found| At { value: found, span: value.span() })
    }

    pub(crate) fn text(&mut self, faults: &mut Collector<'_>, key: &'static str) -> Option<At<String>> {
        let kind = format!("{key} = \"…\", with the quotes");
        let text = self.value(faults, key, &kind, |value| value.as_str().map(str::to_owned))?;
        if text.value.is_empty() {
            faults.add(&text.span, format!("`{key}` is empty"), "give it a value, or remove the line");
            return None;
        }
        Some(text)
    }

    /// A text that `read` understands; its error names what is wrong and what to write.
    pub(crate) fn parsed<T>(
        &mut self,
        faults: &mut Collector<'_>,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, (String, String)>,
    ) -> Option<At<T>> {
        let At { value: text, span } = self.text(faults, key)?;
        match read(&text) {
            Ok(value) => Some(At { value, span }),
            Err((problem, fix)) => {
                faults.add(&span, format!("`{key}` is \"{}\": {problem}", text.escape_debug()), fix);
                None
            }
        }
    }

    pub(crate) fn flag(&mut self, faults: &mut Collector<'_>, key: &'static str) -> Option<At<bool>> {
        self.value(faults, key, "true or false, without quotes", DeValue::as_bool)
    }

    pub(crate) fn number<T: TryFrom<i64> + Into<i64> + Copy>(
        &mut self,
        faults: &mut Collector<'_>,
        key: &'static str,
        range: RangeInclusive<T>,
    ) -> Option<At<T>> {
        let (low, high): (i64, i64) = ((*range.start()).into(), (*range.end()).into());
        let fix = format!("a number from {low} to {high}");
        let At { value: digits, span } = self.value(faults, key, &fix, |value| {
            value.as_integer().map(|number| (number.as_str().to_owned(), number.radix()))
        })?;
        let (digits, radix) = digits;
        let number = i64::from_str_radix(&digits, radix).ok().filter(|number| (low..=high).contains(number));
        let found = number.and_then(|number| T::try_from(number).ok());
        if found.is_none() {
            faults.add(&span, format!("`{key}` is {digits}"), format!("write {fix}"));
        }
        found.map(|value| At { value, span })
    }

    /// A list of texts that is not empty.
    pub(crate) fn texts(&mut self, faults: &mut Collector<'_>, key: &'static str) -> Option<Vec<At<String>>> {
        let kind = format!("{key} = [\"…\", \"…\"]");
        let list = self.value(faults, key, &kind, DeValue::as_array)?;
        if list.value.is_empty() {
            faults.add(&list.span, format!("`{key}` is empty"), format!("write {kind}"));
            return None;
        }
        let texts = list.value.iter().filter_map(|value| match value.get_ref().as_str() {
            Some(text) => Some(At { value: text.to_owned(), span: value.span() }),
            None => {
                let other = value.get_ref().type_str();
                faults.add(
                    &value.span(),
                    format!("`{key}` holds a value of type {other}"),
                    format!("write {kind}"),
                );
                None
            }
        });
        Some(texts.collect())
    }

    /// The tables of `[[key]]`, each read by `read`. `title` is what one is called.
    pub(crate) fn tables<T>(
        &mut self,
        faults: &mut Collector<'_>,
        key: &'static str,
        title: &'static str,
        mut read: impl FnMut(&mut Self, &mut Collector<'_>) -> Option<T>,
    ) -> Vec<T> {
        let fix = format!("{title}, with two brackets each side, in front of the keys of each");
        let Some(list) = self.value(faults, key, &fix, DeValue::as_array) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in list.value {
            let Some(table) = entry.get_ref().as_table() else {
                let other = entry.get_ref().type_str();
                faults.add(
                    &entry.span(),
                    format!("`{key}` holds a value of type {other}"),
                    format!("write {fix}"),
                );
                continue;
            };
            let mut section = Section::new(title, table, entry.span());
            found.extend(read(&mut section, faults));
            section.finish(faults);
        }
        found
    }

    /// The table `[key]`, read by `read`; `None` where there is none.
    pub(crate) fn table<T>(
        &mut self,
        faults: &mut Collector<'_>,
        key: &'static str,
        title: &'static str,
        read: impl FnOnce(&mut Self, &mut Collector<'_>) -> T,
    ) -> Option<T> {
        let fix = format!("{title} in front of its keys");
        let table = self.value(faults, key, &fix, DeValue::as_table)?;
        let mut section = Section::new(title, table.value, table.span);
        let found = read(&mut section, faults);
        section.finish(faults);
        Some(found)
    }

    /// A value that has to be there.
    pub(crate) fn required<T>(
        &self,
        faults: &mut Collector<'_>,
        key: &'static str,
        found: Option<T>,
        example: &str,
    ) -> Option<T> {
        if found.is_none() && !self.has(key) {
            faults.add(&self.span, format!("{} has no `{key}`", self.title), format!("add {example}"));
        }
        found
    }

    /// Notes the keys that nobody asked for.
    pub(crate) fn finish(self, faults: &mut Collector<'_>) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let near = self
                .known
                .iter()
                .map(|known| (strsim::damerau_levenshtein(known, name), *known))
                .filter(|(distance, known)| *distance * 3 <= known.len().max(3))
                .min();
            let fix = match near {
                Some((_, known)) => format!("write `{known}`"),
                None => format!("remove it; {} knows {}", self.title, self.known.join(", ")),
            };
            faults.add(&key.span(), format!("unknown key `{}` in {}", name.escape_debug(), self.title), fix);
        }
    }
}
