//! What is wrong with a file, where, and how to mend it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Octets of a file, as offsets from its start.
pub type Span = Range<usize>;

/// A configuration file's name and text.
#[derive(Debug, Clone)]
pub struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// A text with the name it goes by in messages; names in it are relative to that name's directory.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A single fault at its first octet: the file cannot be read, or is no UTF-8.
    pub fn read(path: &Path) -> Result<Self, Faults> {
        std::fs::read_to_string(path).map(|text| Self::new(path, text)).map_err(|error| {
            let fix = if error.kind() == std::io::ErrorKind::InvalidData {
                "save the file as UTF-8"
            } else {
                "name a file that can be read, with `-c FILE`"
            };
            let fault = Fault {
                line: 1,
                column: 1,
                problem: format!("cannot be read: {error}"),
                fix: fix.to_owned(),
            };
            Faults { file: path.display().to_string(), list: vec![fault] }
        })
    }

    /// The name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A name in the file, taken from the directory of the file.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(name)
    }

    /// Line and column of an offset, both from 1; columns count characters.
    fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

/// All that is wrong with a file, in its order. It is not empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Lines { file, list })]
pub struct Faults {
    file: String,
    list: Vec<Fault>,
}

impl Faults {
    /// The faults, in the order of the file.
    #[must_use]
    pub fn list(&self) -> &[Fault] {
        &self.list
    }
}

/// Faults as lines of `file:line:column: problem; fix: what to do`, the form that editors understand.
struct Lines<'a> {
    file: &'a str,
    list: &'a [Fault],
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Fault { line, column, problem, fix }) in self.list.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{line}:{column}: {problem}; fix: {fix}", self.file)?;
        }
        Ok(())
    }
}

/// Collects faults while a file is read.
#[derive(Debug)]
pub(crate) struct Collector<'s> {
    source: &'s Source,
    found: Vec<(usize, Fault)>,
}

impl<'s> Collector<'s> {
    pub(crate) const fn new(source: &'s Source) -> Self {
        Self { source, found: Vec::new() }
    }

    pub(crate) const fn source(&self) -> &'s Source {
        self.source
    }

    /// Notes a fault at `span`.
    pub(crate) fn add(&mut self, span: &Span, problem: impl Into<String>, fix: impl Into<String>) {
        let (line, column) = self.source.place(span.start);
        self.found.push((span.start, Fault { line, column, problem: problem.into(), fix: fix.into() }));
    }

    /// `value`, if nothing was wrong.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, Faults> {
        if self.found.is_empty() {
            return Ok(value);
        }
        // The keys of a table are read in our order, not in the file's.
        self.found.sort_by_key(|(offset, _)| *offset);
        let list = self.found.into_iter().map(|(_, fault)| fault).collect();
        Err(Faults { file: self.source.path.display().to_string(), list })
    }
}
