//! A catalog as a client sends it, checked.

use std::collections::HashSet;

use prost::Message;

use crate::{
    domain::{ExternalId, Name, PhoneRegion, ValueFault, ValuePattern, fold},
    import::Refusal,
    proto,
    store::{CatalogDraft, DraftEntry, DraftGroup},
};

/// Roles, ranks and groups of a catalog, together.
const MAX_ENTRIES: usize = 5_000;

/// Size of a catalog as a message, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Most bytes of a catalog in a response: clients accept messages of 4 MiB. Only a catalog from before
/// there were limits is larger.
const MAX_SENT_BYTES: usize = 3 * 1024 * 1024;

/// Checks a catalog's size and names.
///
/// # Errors
/// A limit that it exceeds, or every fault at once: names that are blank, too long, or there twice.
pub(super) fn parse(catalog: &proto::Catalog) -> Result<CatalogDraft, Vec<Refusal>> {
    let oversized = oversized(catalog, MAX_ENTRIES, MAX_BYTES);
    oversized.map_or(Ok(()), |refusal| Err(vec![refusal]))?;
    let mut faults = CatalogFaults::default();
    let draft = CatalogDraft {
        roles: faults.entries(
            "roles",
            catalog.roles.iter().map(|r| (&*r.name, &*r.previous_name)),
        ),
        privileged: catalog.roles.iter().filter_map(privileged_key).collect(),
        ranks: faults.entries(
            "ranks",
            catalog.ranks.iter().map(|r| (&*r.name, &*r.previous_name)),
        ),
        groups: faults.groups(&catalog.groups),
        phone_region: faults.phone_region(&catalog.phone_region),
        badge_number_pattern: faults.pattern("badge_number_pattern", &catalog.badge_number_pattern),
        external_id_pattern: faults.pattern("external_id_pattern", &catalog.external_id_pattern),
    };
    if faults.0.is_empty() {
        Ok(draft)
    } else {
        Err(faults.0)
    }
}

/// Expects that a stored catalog fits into an answer.
///
/// # Errors
/// Fails if it is too large.
pub(super) fn expect_sendable(catalog: &proto::Catalog) -> Result<(), Refusal> {
    oversized(catalog, usize::MAX, MAX_SENT_BYTES).map_or(Ok(()), Err)
}

fn oversized(catalog: &proto::Catalog, max_entries: usize, max_bytes: usize) -> Option<Refusal> {
    let entries = catalog.roles.len() + catalog.ranks.len() + catalog.groups.len();
    let bytes = catalog.encoded_len();
    if entries <= max_entries && bytes <= max_bytes {
        return None;
    }
    let message = format!(
        "The catalog has {entries} roles, ranks and groups in {bytes} bytes; it may have {MAX_ENTRIES} in \
         {MAX_BYTES} bytes. Leave out those that nobody needs."
    );
    Some(Refusal::limit("CATALOG_TOO_LARGE", "catalog", message))
}

fn privileged_key(role: &proto::Role) -> Option<String> {
    let name = Name::parse(&role.name).ok().filter(|_| role.privileged)?;
    Some(fold(name.as_str()).into_owned())
}

#[derive(Default)]
struct CatalogFaults(Vec<Refusal>);

impl CatalogFaults {
    fn entries<'a>(
        &mut self,
        part: &str,
        entries: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Vec<DraftEntry> {
        let mut seen = HashSet::new();
        let mut drafts = Vec::new();
        for (index, (name, previous)) in entries.enumerate() {
            let subject = format!("catalog.{part}[{index}].name");
            let Some(name) = self.name(&subject, name) else {
                continue;
            };
            let key = fold(&name).into_owned();
            self.once(&mut seen, &subject, &key, &name);
            let previous_key = match previous.is_empty() {
                true => None,
                false => self
                    .name(&format!("catalog.{part}[{index}].previous_name"), previous)
                    .map(|previous| fold(&previous).into_owned()),
            };
            drafts.push(DraftEntry {
                name,
                key,
                previous_key,
            });
        }
        drafts
    }

    fn groups(&mut self, groups: &[proto::Group]) -> Vec<DraftGroup> {
        let mut seen = HashSet::new();
        let mut drafts = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            let subject = format!("catalog.groups[{index}].external_id");
            let external_id = match ExternalId::parse(&group.external_id) {
                Ok(id) => id.as_str().to_owned(),
                Err(fault) => {
                    self.fault(&subject, fault);
                    continue;
                }
            };
            self.once(&mut seen, &subject, &external_id, &external_id);
            let name = match group.name.is_empty() {
                true => Some(external_id.clone()),
                false => self.name(&format!("catalog.groups[{index}].name"), &group.name),
            };
            let active = group.active;
            drafts.extend(name.map(|name| DraftGroup {
                external_id,
                name,
                active,
            }));
        }
        drafts
    }

    fn phone_region(&mut self, code: &str) -> Option<PhoneRegion> {
        let region = PhoneRegion::parse(code);
        if region.is_none() && !code.is_empty() {
            let message = "catalog.phone_region is not an ISO 3166 code of a region with phone numbers; write \
                one such as US, or leave it empty.";
            let refusal = Refusal::invalid("BAD_PHONE_REGION", "catalog.phone_region", message);
            self.0.push(refusal);
        }
        region
    }

    fn pattern(&mut self, field: &str, pattern: &str) -> Option<ValuePattern> {
        if pattern.is_empty() {
            return None;
        }
        let subject = format!("catalog.{field}");
        let refuse =
            |fault| Refusal::invalid("BAD_PATTERN", &subject, format!("{subject} {fault}"));
        ValuePattern::parse(pattern)
            .map_err(|fault| self.0.push(refuse(fault)))
            .ok()
    }

    fn name(&mut self, subject: &str, value: &str) -> Option<String> {
        match Name::parse(value) {
            Ok(name) => Some(name.as_str().to_owned()),
            Err(fault) => {
                self.fault(subject, fault);
                None
            }
        }
    }

    fn fault(&mut self, subject: &str, fault: ValueFault) {
        self.0.push(Refusal::invalid(
            "BAD_NAME",
            subject,
            format!("{subject} {fault}"),
        ));
    }

    fn once(&mut self, seen: &mut HashSet<String>, subject: &str, key: &str, name: &str) {
        if !seen.insert(key.to_owned()) {
            let message = format!("{subject}: \"{name}\" is there twice; leave one out.");
            self.0
                .push(Refusal::invalid("DUPLICATE_NAME", subject, message));
        }
    }
}
