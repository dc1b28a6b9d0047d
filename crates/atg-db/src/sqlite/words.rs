//! Interned words: kinds, types, regions, groups, paths – what repeats on every row.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension as _};

use crate::limits;
use crate::sqlite::fault::{Fault, Outcome};
use crate::sqlite::writer::Session;

/// The writer's memory of words.
#[derive(Debug, Default)]
pub(crate) struct Words(HashMap<String, i64>);

impl Words {
    /// After a rollback: what was interned in it is not in the file.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

impl Session {
    /// The key of a word, made if it is new.
    pub(crate) fn word(&mut self, text: &str) -> Outcome<i64> {
        if let Some(k) = self.words.0.get(text) {
            return Ok(*k);
        }
        if self.words.0.len() >= limits::CACHED_WORDS {
            self.words.forget();
        }
        let known = word_key(&self.connection, text)?;
        let k = if let Some(k) = known {
            k
        } else {
            let mut insert = self.connection.prepare_cached("INSERT INTO word(text) VALUES (?1)")?;
            insert.insert([text])?
        };
        self.words.0.insert(text.to_owned(), k);
        Ok(k)
    }

    /// The key of a word that may be absent.
    pub(crate) fn word_of(&mut self, text: Option<&str>) -> Outcome<Option<i64>> {
        text.map(|text| self.word(text)).transpose()
    }
}

/// The key of a word, `None` when nothing uses it.
pub(crate) fn word_key(connection: &Connection, text: &str) -> Outcome<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT k FROM word WHERE text = ?1")?;
    Ok(find.query_row([text], |row| row.get(0)).optional()?)
}

/// Words read back within one transaction.
pub(crate) struct Vocabulary<'c> {
    connection: &'c Connection,
    texts: RefCell<HashMap<i64, Rc<str>>>,
}

impl<'c> Vocabulary<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            texts: RefCell::default(),
        }
    }

    /// The text of a word.
    pub(crate) fn text(&self, k: i64) -> Outcome<Rc<str>> {
        if let Some(text) = self.texts.borrow().get(&k) {
            return Ok(Rc::clone(text));
        }
        let mut find = self.connection.prepare_cached("SELECT text FROM word WHERE k = ?1")?;
        let text: Option<String> = find.query_row([k], |row| row.get(0)).optional()?;
        let text: Rc<str> = text.ok_or_else(|| Fault::Row(format!("no word {k}")))?.into();
        let mut texts = self.texts.borrow_mut();
        if texts.len() >= limits::CACHED_WORDS {
            texts.clear();
        }
        texts.insert(k, Rc::clone(&text));
        Ok(text)
    }

    /// The text of a word that may be absent.
    pub(crate) fn text_of(&self, k: Option<i64>) -> Outcome<Option<Rc<str>>> {
        k.map(|k| self.text(k)).transpose()
    }
}
