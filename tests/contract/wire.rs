//! Golden messages in `tests/wire`: bytes that another implementation of protocol buffers encoded, each beside the same
//! message as JSON. The tests of each client decode them too.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
};

use prost::Message;
use prost_types::{DescriptorProto, field_descriptor_proto::Type};
use serde::de::DeserializeOwned;
use serde_json::Value;
use user_import::proto::{
    AppendImportRequest, AppendImportResponse, BeginImportRequest, BeginImportResponse,
    FinishImportRequest, FinishImportResponse, GetImportResponse, ImportUsersRequest,
    ImportUsersResponse, PushUsersRequest, PushUsersResponse,
};

use crate::catalogue::{enums, files, messages};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire");

/// Returns the JSON files for messages of one kind.
fn twins(kind: &str) -> Vec<PathBuf> {
    let directory = Path::new(FIXTURES).join(kind);
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect()
}

fn check<M>(kind: &str)
where
    M: Message + Debug + Default + PartialEq + DeserializeOwned,
{
    for twin in twins(kind) {
        let name = twin.display();
        let json = fs::read_to_string(&twin).unwrap();
        let bytes = fs::read(twin.with_extension("binpb")).unwrap();
        let message: M = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(M::decode(&*bytes).unwrap(), message, "{name}");
        assert_eq!(message.encode_to_vec(), bytes, "{name}");
    }
}

#[test]
fn golden_messages_are_what_the_contract_encodes_and_decodes() {
    check::<ImportUsersRequest>("ImportUsersRequest");
    check::<ImportUsersResponse>("ImportUsersResponse");
    check::<GetImportResponse>("GetImportResponse");
    check::<PushUsersRequest>("PushUsersRequest");
    check::<PushUsersResponse>("PushUsersResponse");
    check::<BeginImportRequest>("BeginImportRequest");
    check::<BeginImportResponse>("BeginImportResponse");
    check::<AppendImportRequest>("AppendImportRequest");
    check::<AppendImportResponse>("AppendImportResponse");
    check::<FinishImportRequest>("FinishImportRequest");
    check::<FinishImportResponse>("FinishImportResponse");
}

/// The fields and enum values that the golden messages should show, and those that they do show.
#[derive(Default)]
struct ContractCoverage {
    messages: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, BTreeSet<String>>,
    expected: BTreeSet<String>,
    shown: BTreeSet<String>,
}

impl ContractCoverage {
    fn of_contract() -> Self {
        let files = files();
        let mut coverage = Self::default();
        for message in messages(&files) {
            let name = format!(".userimport.v1.{}", message.descriptor.name());
            coverage.messages.insert(name, message.descriptor.clone());
        }
        for kind in enums(&files) {
            let name = format!(".userimport.v1.{}", kind.descriptor.name());
            let values = kind.descriptor.value.iter().map(|v| v.name().to_owned());
            // They are never sent.
            let values = values.filter(|value| !value.ends_with("_UNSPECIFIED"));
            coverage.enums.insert(name, values.collect());
        }
        coverage
    }

    /// Adds everything that a message of this kind can contain to what should be shown.
    fn expect(&mut self, kind: &str) {
        let Some(message) = self.messages.get(kind).cloned() else {
            return; // Not ours.
        };
        for field in &message.field {
            let name = format!("{}.{}", message.name(), field.json_name());
            // Several messages may contain this one.
            if self.expected.insert(name) && field.r#type() == Type::Message {
                self.expect(field.type_name());
            }
            let values = self.enums.get(field.type_name());
            self.expected.extend(values.into_iter().flatten().cloned());
        }
    }

    /// Adds what `value`, a message of this kind as JSON, shows.
    fn show(&mut self, kind: &str, value: &Value) {
        let (Some(message), Some(object)) = (self.messages.get(kind).cloned(), value.as_object())
        else {
            self.shown.extend(value.as_str().map(str::to_owned));
            return;
        };
        for (key, value) in object {
            self.shown.insert(format!("{}.{key}", message.name()));
            let field = message.field.iter().find(|field| field.json_name() == key);
            let kind = field.expect("a field of the contract").type_name();
            match value {
                Value::Array(all) => all.iter().for_each(|value| self.show(kind, value)),
                value => self.show(kind, value),
            }
        }
    }
}

#[test]
fn golden_messages_show_every_field_and_every_value() {
    let mut coverage = ContractCoverage::of_contract();
    for kind in [
        "ImportUsersRequest",
        "ImportUsersResponse",
        "GetImportResponse",
        "PushUsersRequest",
        "PushUsersResponse",
        "BeginImportRequest",
        "BeginImportResponse",
        "AppendImportRequest",
        "AppendImportResponse",
        "FinishImportRequest",
        "FinishImportResponse",
    ] {
        let full = format!(".userimport.v1.{kind}");
        coverage.expect(&full);
        for twin in twins(kind) {
            let value = serde_json::from_slice(&fs::read(twin).unwrap()).unwrap();
            coverage.show(&full, &value);
        }
    }
    let missing: Vec<_> = coverage.expected.difference(&coverage.shown).collect();
    assert!(
        missing.is_empty(),
        "not in tests/wire, see its README: {missing:?}"
    );
}
