//! What a run of all tests leaves behind, searched at its end: no key and no ticket that was issued in it is in a log,
//! a trace, an answer, or a byte of a data folder. The tests write what is searched (`tests/support/record.rs`).

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use aho_corasick::AhoCorasick;
use anyhow::{Context as _, bail, ensure};

use crate::out::{line, notice};
use crate::run::target_dir;

/// Names the folder to the tests.
const VARIABLE: &str = "ATG_TEST_RUN_DIR";
/// What is searched at a time.
const BLOCK_BYTES: usize = 1 << 20;
/// How much of what stands before a secret is shown.
const SHOWN_BYTES: usize = 120;
/// Places that are named; there may be more.
const NAMED_PLACES: usize = 20;

/// A run and its folder.
pub(crate) struct Run(PathBuf);

impl Run {
    /// Makes the folder anew.
    pub(crate) fn begin() -> anyhow::Result<Self> {
        let folder = target_dir().join("test-run");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self(folder))
    }

    /// Tells a command to record.
    pub(crate) fn recorded(&self, command: &mut Command) {
        command.env(VARIABLE, &self.0);
    }

    /// Searches, and removes the folder when nothing is wrong. A run of everything has to have recorded something.
    pub(crate) fn end(self, everything: bool) -> anyhow::Result<()> {
        let Self(folder) = self;
        let secrets = secrets(&folder)?;
        let answers = counts(&folder)?;
        ensure!(
            !everything || (!secrets.is_empty() && !answers.is_empty()),
            "the tests have recorded no key or no answer: nothing could be searched or judged"
        );
        say_counts(&answers);
        let problems: String = texts(&folder, "problems-")?.concat();
        ensure!(
            problems.is_empty(),
            "answers that the OpenAPI document does not describe, which came behind the end of their tests:\n{problems}"
        );
        let searched = search(&folder, &secrets)?;
        if !searched.found.is_empty() {
            for place in searched.found.iter().take(NAMED_PLACES) {
                line(&format!("  {place}"));
            }
            bail!(
                "{} files hold a key or a ticket ({} is kept)",
                searched.found.len(),
                folder.display()
            );
        }
        line(&format!(
            "Secrets: {} keys and tickets were issued; none is in any of {} files with {} MiB of logs, traces, answers and data.",
            secrets.len(),
            searched.files,
            searched.bytes >> 20
        ));
        std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))
    }
}

/// A key or a ticket.
struct Secret {
    /// Which, without what is secret of it.
    name: String,
    digits: String,
}

fn secrets(folder: &Path) -> anyhow::Result<Vec<Secret>> {
    let mut all = BTreeMap::new();
    for text in texts(folder, "secrets-")? {
        for written in text.lines() {
            let (name, digits) = written
                .rsplit_once(' ')
                .context("a secret that was not recorded as it should be")?;
            all.insert(digits.to_owned(), name.to_owned());
        }
    }
    let secret = |(digits, name)| Secret { name, digits };
    Ok(all.into_iter().map(secret).collect())
}

/// The contents of the files at the top of the folder whose names begin so.
fn texts(folder: &Path, kind: &str) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(kind) {
            texts.push(std::fs::read_to_string(entry.path())?);
        }
    }
    Ok(texts)
}

/// How often what was done with an answer, and the requests of those.
fn counts(folder: &Path) -> anyhow::Result<BTreeMap<String, BTreeMap<String, u64>>> {
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for text in texts(folder, "counts-")? {
        for (what, place) in text.lines().filter_map(|counted| counted.split_once('\t')) {
            let places = counts.entry(what.to_owned()).or_default();
            *places.entry(place.to_owned()).or_default() += 1;
        }
    }
    Ok(counts)
}

fn say_counts(counts: &BTreeMap<String, BTreeMap<String, u64>>) {
    line("Answers by how the OpenAPI document judged them (one that does not fit fails its test):");
    for (what, places) in counts {
        line(&format!("  {:>7} {what}", places.values().sum::<u64>()));
        // What is not judged whole is named.
        if ["cut", "refused", "not judged"]
            .iter()
            .any(|less| what.starts_with(less))
        {
            for (place, times) in places {
                notice(&format!("{times} × {place}"));
            }
        }
    }
}

/// Where a secret is.
#[derive(Debug)]
struct Place {
    secret: String,
    file: PathBuf,
    at: u64,
    before: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            secret,
            file,
            at,
            before,
        } = self;
        write!(f, "{secret} is in {} at byte {at}, behind {before:?}", file.display())
    }
}

#[derive(Default)]
struct Searched {
    found: Vec<Place>,
    files: u64,
    bytes: u64,
}

/// The needles of secrets: each half of one, as digits and as bytes.
struct Needles<'a> {
    secrets: &'a [Secret],
    /// Whose each needle is.
    owners: Vec<usize>,
    automaton: AhoCorasick,
    longest: usize,
}

impl<'a> Needles<'a> {
    fn of(secrets: &'a [Secret]) -> anyhow::Result<Self> {
        let (mut needles, mut owners) = (Vec::new(), Vec::new());
        for (owner, secret) in secrets.iter().enumerate() {
            let half = secret.digits.len() / 4 * 2;
            let (first, second) = secret
                .digits
                .split_at_checked(half)
                .context("a secret is not of digits")?;
            for digits in [first, second] {
                needles.extend([digits.as_bytes().to_vec(), bytes(digits)?]);
                owners.extend([owner, owner]);
            }
        }
        Ok(Self {
            secrets,
            owners,
            longest: needles.iter().map(Vec::len).max().unwrap_or(1),
            automaton: AhoCorasick::builder().ascii_case_insensitive(true).build(&needles)?,
        })
    }

    /// The first place in a file, and the file's size.
    fn first_in(&self, path: &Path) -> anyhow::Result<(Option<Place>, u64)> {
        let mut file = File::open(path)?;
        let (mut block, mut before, mut size) = (Vec::new(), 0, 0);
        loop {
            let read = u64::try_from(BLOCK_BYTES)?;
            let read = (&mut file).take(read).read_to_end(&mut block)?;
            size += u64::try_from(read)?;
            if let Some(found) = self.automaton.find(&block) {
                let owner = self.owners.get(found.pattern().as_usize());
                let secret = owner.and_then(|owner| self.secrets.get(*owner));
                let shown = block.get(found.start().saturating_sub(SHOWN_BYTES)..found.start());
                let place = Place {
                    secret: secret.map(|secret| secret.name.clone()).unwrap_or_default(),
                    file: path.to_owned(),
                    at: before + u64::try_from(found.start())?,
                    before: String::from_utf8_lossy(shown.unwrap_or_default()).into_owned(),
                };
                return Ok((Some(place), size));
            }
            if read == 0 {
                return Ok((None, size));
            }
            // A secret may begin in this block and end in the next.
            let searched = block.len().saturating_sub(self.longest);
            block.drain(..searched);
            before += u64::try_from(searched)?;
        }
    }
}

fn bytes(digits: &str) -> anyhow::Result<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
    pairs.map(byte).collect()
}

fn search(folder: &Path, secrets: &[Secret]) -> anyhow::Result<Searched> {
    let needles = Needles::of(secrets)?;
    let mut searched = Searched::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).with_context(|| format!("searching {}", next.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            }
            let holds_secrets = next == folder && entry.file_name().to_string_lossy().starts_with("secrets-");
            if !kind.is_file() || holds_secrets {
                continue;
            }
            let found = needles.first_in(&entry.path());
            let (found, size) = found.with_context(|| format!("searching {}", entry.path().display()))?;
            searched.found.extend(found);
            searched.files += 1;
            searched.bytes += size;
        }
    }
    Ok(searched)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, byte: u8) -> Secret {
        let digits = (0..28).fold(String::new(), |text, at| {
            format!("{text}{:02x}", byte.wrapping_mul(at) ^ 0x5a)
        });
        let name = name.to_owned();
        Secret { name, digits }
    }

    /// A folder below the target folder, made anew.
    fn folder(name: &str) -> PathBuf {
        let folder = target_dir().join("test-output").join(format!("secrecy-{name}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("inner")).unwrap();
        folder
    }

    #[test]
    fn a_secret_is_found_in_every_form_and_place() {
        let secrets = [secret("key one", 7), secret("key two", 11)];
        let two = &secrets[1];
        let (first, second) = two.digits.split_at(28);
        let raw = bytes(&two.digits).unwrap();
        let far = vec![b'x'; BLOCK_BYTES - 20];
        let forms: [(&str, Vec<u8>); 6] = [
            (
                "digits",
                format!("a line with atg_dev_00000000{}", two.digits).into_bytes(),
            ),
            ("capitals", two.digits.to_uppercase().into_bytes()),
            ("first-half", first.into()),
            ("second-half", second.into()),
            ("bytes", raw),
            ("across-blocks", [&far, two.digits.as_bytes()].concat()),
        ];
        let folder = folder("forms");
        for (name, content) in &forms {
            std::fs::write(folder.join("inner").join(name), content).unwrap();
        }
        std::fs::write(folder.join("secrets-1"), format!("key two {}\n", two.digits)).unwrap();
        std::fs::write(folder.join("clean"), first.split_at(27).0).unwrap();
        let searched = search(&folder, &secrets).unwrap();
        assert_eq!(searched.files, 7);
        let mut found: Vec<_> = searched
            .found
            .iter()
            .map(|place| place.file.file_name().unwrap())
            .collect();
        found.sort();
        let mut names: Vec<_> = forms.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(found, names);
        for place in &searched.found {
            assert_eq!(place.secret, "key two");
            assert!(!place.to_string().contains(first), "{place}");
        }
        let across = searched
            .found
            .iter()
            .find(|place| place.file.ends_with("across-blocks"));
        assert_eq!(across.unwrap().at, u64::try_from(far.len()).unwrap());
    }

    #[test]
    fn a_run_that_recorded_nothing_is_no_proof() {
        let run = Run(folder("nothing"));
        assert!(run.end(true).unwrap_err().to_string().contains("no key"));
    }

    #[test]
    fn a_leak_fails_the_run_and_a_clean_one_leaves_nothing() {
        let (folder, secret) = (folder("leak"), secret("key 01234567", 13));
        std::fs::write(folder.join("secrets-1"), format!("{} {}\n", secret.name, secret.digits)).unwrap();
        std::fs::write(folder.join("counts-1"), "judged with their body\tGET /health 200\n").unwrap();
        std::fs::write(folder.join("trace.log-1"), format!("key={}", secret.digits)).unwrap();
        let error = Run(folder.clone()).end(true).unwrap_err().to_string();
        assert!(error.contains("1 files hold a key"), "{error}");
        std::fs::remove_file(folder.join("trace.log-1")).unwrap();
        std::fs::write(folder.join("problems-1"), "GET /health answered 418\n").unwrap();
        let error = Run(folder.clone()).end(true).unwrap_err().to_string();
        assert!(error.contains("418"), "{error}");
        std::fs::remove_file(folder.join("problems-1")).unwrap();
        Run(folder.clone()).end(true).unwrap();
        assert!(!folder.exists());
    }
}
