//! Workbooks made by hand, part by part, so that any part can be wrong.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The parts of a workbook.
#[derive(Clone, Debug)]
pub struct WorkbookParts(Vec<(String, Vec<u8>)>);

impl WorkbookParts {
    /// Returns the parts with this one in place of the one of the same name, or at the end.
    #[must_use]
    pub fn with(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        let content = content.into();
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, other)) => *other = content,
            None => self.0.push((name.to_owned(), content)),
        }
        self
    }

    /// Returns the parts without this one.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(other, _)| other != name);
        self
    }

    /// Returns the archive.
    #[must_use]
    pub fn zip(&self) -> Vec<u8> {
        self.packed(CompressionMethod::Deflated)
    }

    /// Returns the archive with parts that are not compressed.
    #[must_use]
    pub fn stored(&self) -> Vec<u8> {
        self.packed(CompressionMethod::Stored)
    }

    fn packed(&self, method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in &self.0 {
            let method = match name.as_str() {
                "mimetype" => CompressionMethod::Stored,
                _ => method,
            };
            let options = SimpleFileOptions::default().compression_method(method);
            zip.start_file(name.as_str(), options).expect("it begins");
            zip.write_all(content).expect("memory can be written");
        }
        zip.finish().expect("it ends").into_inner()
    }
}

/// Returns the parts of an Excel workbook with these sheets: each a name and the XML of its rows.
#[must_use]
pub fn xlsx(sheets: &[(&str, String)]) -> WorkbookParts {
    let (mut list, mut relations) = (String::new(), String::new());
    let mut parts = Vec::new();
    for (number, (name, rows)) in (1..).zip(sheets) {
        let name = escape(name);
        let _ = write!(
            list,
            r#"<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>"#
        );
        let _ = write!(
            relations,
            r#"<Relationship Id="rId{number}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{number}.xml"/>"#
        );
        let sheet = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>"#
        );
        parts.push((
            format!("xl/worksheets/sheet{number}.xml"),
            sheet.into_bytes(),
        ));
    }
    let all = WorkbookParts(vec![
        ("[Content_Types].xml".to_owned(), CONTENT_TYPES.into()),
        (
            "_rels/.rels".to_owned(),
            relations_of(&format!(
                r#"<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>"#
            ))
            .into(),
        ),
    ]);
    let all = all
        .with(
            "xl/workbook.xml",
            format!(r#"<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{list}</sheets></workbook>"#),
        )
        .with("xl/_rels/workbook.xml.rels", relations_of(&relations))
        .with("xl/styles.xml", STYLES);
    parts
        .into_iter()
        .fold(all, |all, (name, content)| all.with(&name, content))
}

/// Returns the list of shared texts that is a part of an Excel workbook, `xl/sharedStrings.xml`.
#[must_use]
pub fn shared_strings(texts: &[&str]) -> String {
    let items = texts.iter().fold(String::new(), |items, text| {
        items + "<si><t xml:space=\"preserve\">" + &escape(text) + "</t></si>"
    });
    format!(
        r#"<sst xmlns="{MAIN}" count="{0}" uniqueCount="{0}">{items}</sst>"#,
        texts.len()
    )
}

/// Returns the XML of rows of text cells for an Excel workbook. Blank cells are left out.
#[must_use]
pub fn xlsx_rows<C: AsRef<str>>(
    rows: impl IntoIterator<Item = impl IntoIterator<Item = C>>,
) -> String {
    let mut xml = String::new();
    for (line, cells) in (1..).zip(rows) {
        let _ = write!(xml, r#"<row r="{line}">"#);
        for (column, cell) in cells.into_iter().enumerate() {
            let cell = cell.as_ref();
            if !cell.is_empty() {
                let _ = write!(
                    xml,
                    r#"<c r="{}{line}" t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>"#,
                    column_name(column),
                    escape(cell)
                );
            }
        }
        xml.push_str("</row>");
    }
    xml
}

/// Returns the parts of an `OpenDocument` spreadsheet with these sheets: each a name and the XML of its rows.
#[must_use]
pub fn ods(sheets: &[(&str, String)]) -> WorkbookParts {
    let mut tables = String::new();
    for (name, rows) in sheets {
        let name = escape(name);
        let _ = write!(
            tables,
            r#"<table:table table:name="{name}">{rows}</table:table>"#
        );
    }
    WorkbookParts(vec![
        (
            "mimetype".to_owned(),
            b"application/vnd.oasis.opendocument.spreadsheet".to_vec(),
        ),
        ("META-INF/manifest.xml".to_owned(), MANIFEST.into()),
        ("content.xml".to_owned(), ods_content(&tables).into_bytes()),
    ])
}

/// Returns the content of an `OpenDocument` spreadsheet that has this XML for its tables.
#[must_use]
pub fn ods_content(tables: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><office:document-content {ODF}><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"#
    )
}

/// Returns the XML of rows of text cells for an `OpenDocument` spreadsheet.
#[must_use]
pub fn ods_rows<C: AsRef<str>>(
    rows: impl IntoIterator<Item = impl IntoIterator<Item = C>>,
) -> String {
    let mut xml = String::new();
    for cells in rows {
        xml.push_str("<table:table-row>");
        for cell in cells {
            match cell.as_ref() {
                "" => xml.push_str("<table:table-cell/>"),
                text => {
                    let lines = text.split('\n').fold(String::new(), |lines, line| {
                        lines + "<text:p>" + &spaced(&escape(line)) + "</text:p>"
                    });
                    let _ = write!(
                        xml,
                        r#"<table:table-cell office:value-type="string">{lines}</table:table-cell>"#
                    );
                }
            }
        }
        xml.push_str("</table:table-row>");
    }
    xml
}

/// Writes the format's element for blanks that it would otherwise remove.
fn spaced(line: &str) -> String {
    line.replace(' ', "<text:s/>").replace('\t', "<text:tab/>")
}

/// Returns the name of a column, such as `AB`.
#[must_use]
pub fn column_name(mut column: usize) -> String {
    let mut name = String::new();
    loop {
        let letter = u8::try_from(column % 26).unwrap_or_default();
        name.insert(0, char::from(b'A' + letter));
        match (column / 26).checked_sub(1) {
            Some(rest) => column = rest,
            None => return name,
        }
    }
}

/// Returns the text as XML has it. A carriage return would be read as a line feed.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\r', "&#13;")
}

fn relations_of(relations: &str) -> String {
    format!(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>"#
    )
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const ODF: &str = r#"xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0""#;
const CONTENT_TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
const MANIFEST: &str = r#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>"#;

/// Style 1 is a day, 2 a day with a time, 3 a number of four digits, 4 a span of time.
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd hh:mm"/><numFmt numFmtId="165" formatCode="0000"/><numFmt numFmtId="166" formatCode="[h]:mm:ss"/></numFmts><cellStyleXfs count="1"><xf numFmtId="14"/></cellStyleXfs><cellXfs count="5"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>"#;
