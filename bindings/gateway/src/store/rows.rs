//! Rows of the database as values, and values as cells.

use bayar::database::Cell;
use bayar::{Code, Error};

pub(crate) fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

pub(crate) fn maybe_text(text: Option<impl Into<String>>) -> Cell {
    text.map_or(Cell::Null, |text| Cell::Text(text.into()))
}

pub(crate) fn int(number: i64) -> Cell {
    Cell::Int(number)
}

pub(crate) fn maybe_int(number: Option<i64>) -> Cell {
    number.map_or(Cell::Null, Cell::Int)
}

/// The cells of one row, taken in order.
pub(crate) struct Row(std::vec::IntoIter<Cell>);

impl Row {
    pub(crate) fn of(cells: Vec<Cell>) -> Self {
        Row(cells.into_iter())
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>, Error> {
        match self.0.next() {
            Some(Cell::Text(text)) => Ok(Some(text)),
            Some(Cell::Null) => Ok(None),
            other => Err(unreadable(&format!("{other:?} where a text should be"))),
        }
    }

    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>, Error> {
        match self.0.next() {
            Some(Cell::Int(number)) => Ok(Some(number)),
            Some(Cell::Null) => Ok(None),
            other => Err(unreadable(&format!("{other:?} where a number should be"))),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        self.maybe_text()?.ok_or_else(|| unreadable("nothing where a text should be"))
    }

    pub(crate) fn int(&mut self) -> Result<i64, Error> {
        self.maybe_int()?.ok_or_else(|| unreadable("nothing where a number should be"))
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Error> {
        serde_json::from_str(&self.text()?)
            .map_err(|error| unreadable(&format!("a text that is not as it should be ({error})")))
    }
}

/// The number in the only cell of the only row.
pub(crate) fn only_int(rows: Vec<Vec<Cell>>) -> Result<i64, Error> {
    Row::of(rows.into_iter().next().unwrap_or_default()).int()
}

fn unreadable(what: &str) -> Error {
    let what = format!("the gateway's database holds {what}, which this version cannot read");
    Error::not_sent(Code::JournalUnavailable, what)
}
