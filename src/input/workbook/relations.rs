//! The relations of a part of an Excel workbook: the names of other parts, by ID. Targets outside the workbook are left
//! out, so nothing is ever fetched.

use std::collections::HashMap;

use quick_xml::events::Event;

use super::container::WorkbookArchive;
use super::meter::{WorkbookMeter, WorkbookReadError};
use super::xml::{XmlPart, attribute};

/// Most bytes of the texts of all relations. A workbook has a relation for each sheet, and a few more.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The relations of one part, by their IDs.
#[derive(Debug, Default)]
pub(super) struct PartRelations(HashMap<String, PartRelation>);

#[derive(Debug)]
pub(super) struct PartRelation {
    /// The last word of its type, such as `worksheet`.
    pub kind: String,
    /// The name of the part.
    pub part: String,
}

impl PartRelations {
    /// Reads the relations in the part `name`, of a part in `folder`. There are none if the part is not there.
    ///
    /// # Errors
    /// Fails if the part cannot be read.
    pub(super) fn read(
        archive: &mut WorkbookArchive<'_>,
        folder: &str,
        name: &str,
        meter: &WorkbookMeter<'_>,
    ) -> Result<Self, WorkbookReadError> {
        let mut found = HashMap::new();
        let Some(part) = archive.part(name)? else {
            return Ok(Self(found));
        };
        let mut bytes = 0;
        let mut xml = XmlPart::new(part, "the list of its parts", meter);
        while let Some(event) = xml.next()? {
            let Event::Start(element) = event else {
                continue;
            };
            let get = |name| attribute(&element, name).unwrap_or_default();
            let is_inside = !get("TargetMode").eq_ignore_ascii_case("external");
            if element.local_name().as_ref() == "Relationship" && is_inside {
                let kind = get("Type");
                let relation = PartRelation {
                    kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                    part: resolve(folder, &get("Target")),
                };
                let id = get("Id").into_owned();
                bytes += id.len() + relation.kind.len() + relation.part.len() + 100;
                found.insert(id, relation);
                if bytes > MOST_BYTES {
                    return Err(xml.broken());
                }
            }
        }
        Ok(Self(found))
    }

    /// The name of the part of this kind; of several, the first by name.
    pub(super) fn of_kind(&self, kind: &str) -> Option<&str> {
        let parts = self.0.values().filter(|relation| relation.kind == kind);
        parts.map(|relation| &*relation.part).min()
    }

    /// The relation with this ID.
    pub(super) fn with_id(&self, id: &str) -> Option<&PartRelation> {
        self.0.get(id)
    }
}

/// The name of the part that a target in `folder` (with its last slash) names.
fn resolve(folder: &str, target: &str) -> String {
    let joined = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}{target}"),
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in joined.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_found_from_the_folder_or_from_the_root() {
        for (target, part) in [
            ("worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("../xl/./styles.xml", "xl/styles.xml"),
            ("../../../etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(resolve("xl/", target), part);
        }
    }
}
