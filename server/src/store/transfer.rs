//! A plant as lines of text: to move it from one database to another, whatever their engines.
//!
//! The first line names the format, then each row of each table is a line, and the last line counts them: a file
//! that was cut off is not taken for a whole one.

use super::driver::Conflict;
use super::tables::{self, Kind, Table};
use super::value::{ToValue, Value, ValueRef};
use super::{MIGRATIONS, Store, Tx, params};
use crate::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use carboy_protocol::PlantId;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::io::{BufRead, Write};

/// Rows read or written at a time. A row may hold a piece of a photo.
const CHUNK: usize = 200;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first: which schema the rows fit.
    CarboyPlant { schema: usize, plant: PlantId },
    /// A row: integers as numbers, bytes as base64.
    Row(String, Vec<Json>),
    /// The last: how many rows came before.
    End { rows: u64 },
}

impl Store {
    /// Writes all that the database holds of a plant, as of one moment, as lines of JSON. It holds password hashes
    /// and hashes of tokens.
    ///
    /// # Errors
    /// If there is no such plant, the database fails, or `out` does.
    pub fn export(&self, plant: PlantId, out: &mut dyn Write) -> Result<(), Error> {
        self.read(|tx| {
            tx.plant(plant)?;
            let mut lines = Lines { out, rows: 0 };
            lines.line(&Line::CarboyPlant { schema: MIGRATIONS.len(), plant })?;
            tables::ALL.iter().try_for_each(|table| export_table(tx, plant, table, &mut lines))?;
            let rows = lines.rows;
            lines.line(&Line::End { rows })?;
            lines.out.flush().map_err(Error::File)
        })
    }

    /// Takes in a plant that [`export`](Self::export) wrote, all of it or nothing.
    ///
    /// # Errors
    /// If the plant is here already or one of its logins is taken, the file is damaged, cut off or of another
    /// schema version, or the database fails.
    pub fn import(&self, input: &mut dyn BufRead) -> Result<PlantId, Error> {
        let mut lines = (1_u64..).zip(input.lines()).map(|(number, line)| {
            let line = line.map_err(Error::File)?;
            serde_json::from_str::<Line>(&line)
                .map_err(|error| Error::Invalid(format!("line {number} cannot be read: {error}")))
        });
        let plant = match lines.next().transpose()? {
            Some(Line::CarboyPlant { schema, plant }) if schema == MIGRATIONS.len() => plant,
            Some(Line::CarboyPlant { schema, .. }) => {
                let this = MIGRATIONS.len();
                return Err(Error::Invalid(format!(
                    "the file has schema version {schema}, this program has {this}: export with the same version"
                )));
            }
            _ => return Err(Error::Invalid("this is no plant that carboy-server exported".to_owned())),
        };
        self.write(plant, |tx| {
            if tx.count("SELECT count(*) FROM plants WHERE plant = ?1", params![plant])? > 0 {
                return Err(Error::Invalid(format!("plant {plant} is here already")));
            }
            import_rows(tx, &mut lines)
        })?;
        Ok(plant)
    }

    /// What a query gives, row by row: integers as numbers, bytes as base64. For checks and tools.
    ///
    /// # Errors
    /// If the database refuses the query.
    pub fn rows(&self, sql: &str) -> Result<Vec<Vec<Json>>, Error> {
        self.read(|tx| {
            tx.all(sql, &[], |row| (0..row.0.count()).map(|n| Ok(json(row.0.column(n)?))).collect())
        })
    }

    /// The tables' names, each with its columns'.
    pub fn columns() -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str>)> {
        tables::ALL.iter().map(|table| (table.name, table.columns.iter().map(|(name, _)| *name)))
    }
}

struct Lines<'o> {
    out: &'o mut dyn Write,
    rows: u64,
}

impl Lines<'_> {
    fn line(&mut self, line: &Line) -> Result<(), Error> {
        serde_json::to_writer(&mut *self.out, line).map_err(|error| Error::File(error.into()))?;
        self.out.write_all(b"\n").map_err(Error::File)
    }
}

/// Writes a table's rows of a plant, in chunks that each begin behind the last one's key.
fn export_table(tx: &Tx<'_>, plant: PlantId, table: &Table, lines: &mut Lines<'_>) -> Result<(), Error> {
    let key: Vec<_> = (0..table.key).filter(|&column| table.columns[column].0 != "plant").collect();
    let mut last: Option<Vec<Json>> = None;
    loop {
        let behind = last.as_ref().map(|row| key.iter().map(|&n| row[n].clone()).collect::<Vec<_>>());
        let kinds: Vec<_> = key.iter().map(|&n| table.columns[n].1).collect();
        let behind = behind.map(|values| decoded(&values, &kinds)).transpose()?;
        let rows = chunk(tx, plant, table, &key, behind.as_deref())?;
        for row in &rows {
            lines.line(&Line::Row(table.name.to_owned(), row.clone()))?;
            lines.rows += 1;
        }
        if rows.len() < CHUNK || key.is_empty() {
            return Ok(());
        }
        last = rows.into_iter().next_back();
    }
}

fn chunk(
    tx: &Tx<'_>,
    plant: PlantId,
    table: &Table,
    key: &[usize],
    behind: Option<&[Owned]>,
) -> Result<Vec<Vec<Json>>, Error> {
    let (names, name) = (table.names(), table.name);
    let mut params = vec![plant.value()];
    let mut sql = format!("SELECT {names} FROM {name} WHERE plant = ?1");
    let columns = key.iter().map(|&n| table.columns[n].0).collect::<Vec<_>>().join(", ");
    if let Some(behind) = behind {
        let places = (2..2 + key.len()).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
        sql += &format!(" AND ({columns}) > ({places})");
        params.extend(behind.iter().map(Owned::value));
    }
    if !key.is_empty() {
        sql += &format!(" ORDER BY {columns} LIMIT {CHUNK}");
    }
    tx.all(&sql, &params, |row| (0..table.columns.len()).map(|n| Ok(json(row.0.column(n)?))).collect())
}

fn import_rows(tx: &Tx<'_>, lines: &mut dyn Iterator<Item = Result<Line, Error>>) -> Result<(), Error> {
    let (mut rows, mut chunk, mut table) = (0, Vec::<Vec<Owned>>::new(), &tables::PLANTS);
    loop {
        let line = lines.next().transpose()?;
        let next = match &line {
            Some(Line::Row(name, _)) => table_named(name)?,
            _ => table,
        };
        if next.name != table.name || chunk.len() == CHUNK || !matches!(line, Some(Line::Row(..))) {
            let values: Vec<Vec<_>> =
                chunk.iter().map(|row| row.iter().map(Owned::value).collect()).collect();
            tx.session.insert(table, Conflict::Fail, &values)?;
            chunk.clear();
            if next.name != table.name {
                tx.session.loaded(table)?;
            }
            // What is sent and not answered piles up in memory, and each answer has to come within a time.
            tx.session.wait()?;
        }
        table = next;
        match line {
            Some(Line::Row(_, values)) => {
                let kinds: Vec<_> = table.columns.iter().map(|(_, kind)| *kind).collect();
                chunk.push(decoded(&values, &kinds)?);
                rows += 1;
            }
            Some(Line::End { rows: written }) if written == rows => return Ok(()),
            Some(Line::End { rows: written }) => {
                return Err(Error::Invalid(format!("the file has {rows} rows, and had {written}")));
            }
            Some(Line::CarboyPlant { .. }) => {
                return Err(Error::Invalid("a second plant begins: import one file at a time".to_owned()));
            }
            None => return Err(Error::Invalid(format!("the file ends behind row {rows}: it was cut off"))),
        }
    }
}

fn table_named(name: &str) -> Result<&'static Table, Error> {
    let table = tables::ALL.into_iter().find(|table| table.name == name);
    table.ok_or_else(|| Error::Invalid(format!("no table {name:?}")))
}

/// A value that was read from a file.
enum Owned {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(int) => Value::Int(*int),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

fn decoded(values: &[Json], kinds: &[Kind]) -> Result<Vec<Owned>, Error> {
    if values.len() != kinds.len() {
        return Err(Error::Invalid(format!("a row of {} values where {} belong", values.len(), kinds.len())));
    }
    let values = values.iter().zip(kinds).map(|(value, kind)| {
        let owned = match (value, kind) {
            (Json::Null, _) => Some(Owned::Null),
            (Json::Number(number), Kind::Int) => number.as_i64().map(Owned::Int),
            (Json::String(text), Kind::Text) => Some(Owned::Text(text.clone())),
            (Json::String(text), Kind::Blob) => BASE64.decode(text).ok().map(Owned::Blob),
            _ => None,
        };
        owned.ok_or_else(|| Error::Invalid(format!("{value} is no value of kind {kind:?}")))
    });
    values.collect()
}

fn json(value: ValueRef<'_>) -> Json {
    match value {
        ValueRef::Null => Json::Null,
        ValueRef::Int(int) => int.into(),
        ValueRef::Text(text) => text.into(),
        ValueRef::Blob(bytes) => BASE64.encode(bytes).into(),
    }
}
