//! A spreadsheet of customers, read: rows that can be understood, and what is wrong with the others.

use crate::http::dashboard::text::Lang;
use crate::http::dashboard::{amount, sheet};
use carboy_protocol::mutation::{MAX_MINOR, MAX_TEXT};
use carboy_protocol::{Currency, CustomerId, Field};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most rows in one file.
pub(super) const MAX_ROWS: usize = 10_000;

/// What a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Column {
    Id,
    Name,
    Phone,
    Address,
    Note,
    Route,
    Position,
    Balance,
}

/// A row that can be understood. Cells that are empty say nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Row {
    /// Where it begins in the file, from 1.
    pub(super) line: u64,
    pub(super) id: Option<CustomerId>,
    pub(super) fields: BTreeMap<Field, String>,
    pub(super) route: Option<String>,
    /// Its place on the route, from 1.
    pub(super) position: Option<u64>,
    /// Minor units, not 0.
    pub(super) balance: Option<i64>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fault {
    pub(super) line: u64,
    /// `None` if it is about the row as a whole.
    pub(super) column: Option<Column>,
    pub(super) wrong: Wrong,
}

/// What can be wrong with a row or a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Wrong {
    Empty,
    Long { length: usize },
    NoPosition { text: String },
    NoRoute,
    NoAmount { text: String },
    NoCustomer { text: String },
    Twice { other: u64 },
    SameName,
    Several,
    Closed,
    MoreCells,
}

/// Why a file as a whole cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    NotText,
    NoNameColumn,
    UnknownColumn(String),
    ColumnTwice(String),
    NoRows,
    TooManyRows,
}

impl Column {
    pub(super) const ALL: [Self; 8] = [
        Self::Id,
        Self::Name,
        Self::Phone,
        Self::Address,
        Self::Note,
        Self::Route,
        Self::Position,
        Self::Balance,
    ];

    /// The id of its name.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Id => "import-column-id",
            Self::Name => "import-column-name",
            Self::Phone => "import-column-phone",
            Self::Address => "import-column-address",
            Self::Note => "import-column-note",
            Self::Route => "import-column-route",
            Self::Position => "import-column-position",
            Self::Balance => "import-column-balance",
        }
    }

    /// The column that is called so in any of our languages.
    fn called(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        let is_called =
            |column: &Self| Lang::ALL.iter().any(|lang| lang.text(column.text()).to_lowercase() == name);
        Self::ALL.into_iter().find(is_called)
    }

    fn field(self) -> Option<Field> {
        match self {
            Self::Name => Some(Field::Name),
            Self::Phone => Some(Field::Phone),
            Self::Address => Some(Field::Address),
            Self::Note => Some(Field::Note),
            Self::Id | Self::Route | Self::Position | Self::Balance => None,
        }
    }
}

/// Reads a file: its rows, and what is wrong with those that are not among them. Amounts may be written as `lang`
/// writes them.
pub(super) fn read(
    file: &[u8],
    currency: Currency,
    lang: Lang,
) -> Result<(Vec<Row>, Vec<Fault>), Unreadable> {
    let text = std::str::from_utf8(file).map_err(|_| Unreadable::NotText)?;
    // PostgreSQL keeps none, and no spreadsheet writes one.
    if text.contains('\0') {
        return Err(Unreadable::NotText);
    }
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = columns(reader.headers().map_err(|_| Unreadable::NotText)?)?;
    let (mut rows, mut faults, mut lines) = (Vec::new(), Vec::new(), Lines::new(text));
    for record in reader.records() {
        let record = record.map_err(|_| Unreadable::NotText)?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        if rows.len() + faults.len() == MAX_ROWS {
            return Err(Unreadable::TooManyRows);
        }
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        match row(line, &columns, &record, currency, lang) {
            Ok(row) => rows.push(row),
            Err((column, wrong)) => faults.push(Fault { line, column, wrong }),
        }
    }
    if rows.is_empty() && faults.is_empty() { Err(Unreadable::NoRows) } else { Ok((rows, faults)) }
}

/// Counts a file's lines as a text editor does.
struct Lines<'a> {
    rest: &'a [u8],
    line: u64,
    /// Where `rest` begins.
    start: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes(), line: 1, start: 0 }
    }

    /// The line of the first cell from `byte` on; `byte` only ever grows.
    fn at(&mut self, byte: u64) -> u64 {
        let ahead = usize::try_from(byte.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let ahead = ahead.min(self.rest.len());
        let ends = self.rest[ahead..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (before, rest) = self.rest.split_at(ahead + ends);
        self.line += before.iter().filter(|byte| **byte == b'\n').count() as u64;
        (self.rest, self.start) = (rest, self.start + before.len() as u64);
        self.line
    }
}

/// Spreadsheets separate cells by what their country does not use within numbers: what the first row has most of.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|byte| *byte == delimiter).count();
    // The last of equals is the common one.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

fn columns(head: &csv::StringRecord) -> Result<Vec<Column>, Unreadable> {
    let mut columns = Vec::new();
    for name in head {
        let column =
            Column::called(sheet::read(name)).ok_or_else(|| Unreadable::UnknownColumn(name.to_owned()))?;
        if columns.contains(&column) {
            return Err(Unreadable::ColumnTwice(name.to_owned()));
        }
        columns.push(column);
    }
    if columns.contains(&Column::Name) { Ok(columns) } else { Err(Unreadable::NoNameColumn) }
}

/// The row, or its first cell that is wrong.
fn row(
    line: u64,
    columns: &[Column],
    record: &csv::StringRecord,
    currency: Currency,
    lang: Lang,
) -> Result<Row, (Option<Column>, Wrong)> {
    if record.iter().skip(columns.len()).any(|cell| !cell.is_empty()) {
        return Err((None, Wrong::MoreCells));
    }
    let mut row = Row { line, ..Row::default() };
    for (column, cell) in columns.iter().zip(record) {
        let cell = sheet::read(cell);
        if !cell.is_empty() {
            put(&mut row, *column, cell, currency, lang).map_err(|wrong| (Some(*column), wrong))?;
        }
    }
    if !row.fields.contains_key(&Field::Name) {
        return Err((Some(Column::Name), Wrong::Empty));
    }
    if row.position.is_some() && row.route.is_none() {
        return Err((Some(Column::Position), Wrong::NoRoute));
    }
    Ok(row)
}

fn put(row: &mut Row, column: Column, cell: &str, currency: Currency, lang: Lang) -> Result<(), Wrong> {
    let length = cell.chars().count();
    if length > MAX_TEXT {
        return Err(Wrong::Long { length });
    }
    let text = || cell.to_owned();
    match column {
        Column::Id => row.id = Some(cell.parse().map_err(|_| Wrong::NoCustomer { text: text() })?),
        Column::Route => row.route = Some(text()),
        Column::Position => {
            let position = cell.parse().ok().filter(|position| (1..=MAX_ROWS as u64).contains(position));
            row.position = Some(position.ok_or_else(|| Wrong::NoPosition { text: text() })?);
        }
        Column::Balance => {
            let minor = signed(cell, currency, lang).ok_or_else(|| Wrong::NoAmount { text: text() })?;
            row.balance = Some(minor).filter(|minor| *minor != 0);
        }
        Column::Name | Column::Phone | Column::Address | Column::Note => {
            row.fields.extend(column.field().map(|field| (field, cell.replace("\r\n", "\n"))));
        }
    }
    Ok(())
}

/// An amount in minor units, which may be below nothing.
fn signed(cell: &str, currency: Currency, lang: Lang) -> Option<i64> {
    let (sign, amount) = match cell.strip_prefix(['-', '−']) {
        Some(amount) => (-1, amount),
        None => (1, cell),
    };
    let minor = amount::parse(lang, amount, currency).or_else(|_| amount::parse(Lang::En, amount, currency));
    minor.ok().filter(|minor| *minor <= MAX_MINOR).map(|minor| sign * minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_kes(text: &str) -> Result<(Vec<Row>, Vec<Fault>), Unreadable> {
        read(text.as_bytes(), "KES".parse().unwrap(), Lang::En)
    }

    #[test]
    fn a_file_is_read_whatever_its_separators_language_and_line_ends() {
        let expected = Row {
            line: 2,
            fields: [(Field::Name, "Kiosk, North".to_owned()), (Field::Phone, "0700".to_owned())].into(),
            route: Some("East".into()),
            position: Some(2),
            balance: Some(-123_450),
            ..Row::default()
        };
        for file in [
            "name,phone,route,position,opening balance\n\"Kiosk, North\",0700,East,2,\"-1,234.5\"\n",
            "\u{feff}Name;Phone;Route;Position;Opening balance\r\n\"Kiosk, North\";0700;East;2;-1234.50\r\n\r\n",
            "Nom\tTéléphone\tItinéraire\tPosition\tSolde initial\nKiosk, North\t0700\tEast\t2\t−1234.5",
            "الاسم,الهاتف,المسار,الترتيب,الرصيد الافتتاحي\n\" Kiosk, North\",'0700,East,2,-1234.5,,\n",
        ] {
            let (rows, faults) = read_kes(file).unwrap();
            let mut expected = expected.clone();
            if file.contains("'0700") {
                expected.fields.insert(Field::Phone, "'0700".to_owned());
            }
            assert_eq!((rows, faults), (vec![expected], vec![]), "{file}");
        }
    }

    #[test]
    fn a_bad_row_is_told_by_line_and_column_and_the_others_are_read() {
        let long = "x".repeat(MAX_TEXT + 1);
        let file = format!(
            "name,phone,customer id,route,position,opening balance\n\
             ,0700\n{long}\nA,,not-an-id\nB,,,,3\nC,,,East,0\nD,,,,,12x\nE,,,,,,more\nGood\n"
        );
        let (rows, faults) = read_kes(&file).unwrap();
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [9]);
        let faults: Vec<_> =
            faults.into_iter().map(|fault| (fault.line, fault.column, fault.wrong)).collect();
        let text = |text: &str| text.to_owned();
        assert_eq!(
            faults,
            [
                (2, Some(Column::Name), Wrong::Empty),
                (3, Some(Column::Name), Wrong::Long { length: MAX_TEXT + 1 }),
                (4, Some(Column::Id), Wrong::NoCustomer { text: text("not-an-id") }),
                (5, Some(Column::Position), Wrong::NoRoute),
                (6, Some(Column::Position), Wrong::NoPosition { text: text("0") }),
                (7, Some(Column::Balance), Wrong::NoAmount { text: text("12x") }),
                (8, None, Wrong::MoreCells),
            ]
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_as_a_whole_says_why() {
        let many = format!("name\n{}", "A\n".repeat(MAX_ROWS + 1));
        for (file, why) in [
            ("phone\n0700", Unreadable::NoNameColumn),
            ("", Unreadable::NoNameColumn),
            ("name,colour\nA,red", Unreadable::UnknownColumn("colour".into())),
            ("name,Nom\nA,B", Unreadable::ColumnTwice("Nom".into())),
            ("name\n\n", Unreadable::NoRows),
            (many.as_str(), Unreadable::TooManyRows),
        ] {
            assert_eq!(read_kes(file).unwrap_err(), why);
        }
        for file in [&b"name\n\xff"[..], b"name,route\nA,Ea\0st"] {
            assert_eq!(read(file, "KES".parse().unwrap(), Lang::En).unwrap_err(), Unreadable::NotText);
        }
    }
}
