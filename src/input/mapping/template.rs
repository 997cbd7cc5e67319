//! Templates that compute a column from the file's cells.
//!
//! Built on minijinja, with filters on text alone. What a template may do is bounded when it is compiled: see
//! [`scan`](super::scan).

use std::sync::Arc;

use minijinja::value::{Object, Value, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter, filters,
};
use parking_lot::RwLock;

use super::MappingFault;
use super::scan::columns_read;
use crate::domain::{Column, TemplateFailure};
use crate::input::comparable_name::ComparableName;

/// Longest source, in bytes.
const SOURCE_BYTES: usize = 2_000;

/// Longest cell that a template reads, in bytes. No value of a user is longer.
pub(super) const CELL_BYTES: usize = 1_000;

/// Longest text that a filter makes, in bytes.
const TEXT_BYTES: usize = 4 * 1024;

/// Steps of one template for one row.
const FUEL: u64 = 1_000;

const FILTERS: [&str; 15] = [
    "lower",
    "upper",
    "title",
    "capitalize",
    "trim",
    "replace",
    "split",
    "lines",
    "first",
    "last",
    "join",
    "length",
    "default",
    "int",
    "string",
];

/// The templates of a mapping, compiled.
pub(super) struct CompiledTemplates {
    environment: Environment<'static>,
    /// The column that each computes, and the file's columns that it reads.
    columns: Vec<(Column, Vec<String>)>,
}

impl CompiledTemplates {
    pub(super) fn new() -> Self {
        let mut environment = Environment::empty();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_formatter(|out, state, value| match value.kind() {
            ValueKind::String | ValueKind::Number | ValueKind::Undefined => {
                escape_formatter(out, state, value)
            }
            _ => Err(Error::new(
                ErrorKind::InvalidOperation,
                "only a text is a value",
            )),
        });
        add_filters(&mut environment);
        Self {
            environment,
            columns: Vec::new(),
        }
    }

    /// Compiles the template that computes `column`.
    ///
    /// # Errors
    /// Fails if the template cannot be used.
    pub(super) fn add(&mut self, column: Column, source: &str) -> Result<(), MappingFault> {
        let fault = |problem: String| MappingFault::Template { column, problem };
        if source.len() > SOURCE_BYTES {
            return Err(fault(format!(
                "it has more than {SOURCE_BYTES} bytes; shorten it."
            )));
        }
        let read = columns_read(source, &FILTERS).map_err(fault)?;
        let added = self
            .environment
            .add_template_owned(column.header(), source.to_owned());
        added.map_err(|error| fault(problem(&error)))?;
        self.columns.push((column, read.into_iter().collect()));
        Ok(())
    }

    /// The columns that are computed, each with the file's columns that its template reads.
    pub(super) fn columns(&self) -> &[(Column, Vec<String>)] {
        &self.columns
    }

    /// Computes `column` from the cells.
    pub(super) fn render(
        &self,
        column: Column,
        cells: &TemplateCells,
    ) -> Result<String, TemplateFailure> {
        let template = self.environment.get_template(column.header());
        let text = template.and_then(|template| template.render(cells.context.clone()));
        match text {
            Ok(text) if text.len() > TEXT_BYTES => Err(TemplateFailure::LongText),
            Ok(text) => Ok(text),
            Err(error) => Err(failure(&error)),
        }
    }
}

/// The cells of one row, as templates read them.
#[derive(Clone)]
pub(super) struct TemplateCells {
    row: Arc<RowObject>,
    context: Value,
}

impl TemplateCells {
    /// Makes cells for the columns with these names, all of them blank.
    pub(super) fn new(names: &[String]) -> Self {
        let texts = RwLock::new(vec![String::new(); names.len()]);
        let names = names
            .iter()
            .map(|name| ComparableName::parse(name))
            .collect();
        let row = Arc::new(RowObject { names, texts });
        let context = Value::from_object(TemplateContext(Value::from_dyn_object(Arc::clone(&row))));
        Self { row, context }
    }

    /// Replaces the cells by those of the next row.
    pub(super) fn set<'a>(&self, cells: impl Iterator<Item = &'a str>) {
        for (text, cell) in self.row.texts.write().iter_mut().zip(cells) {
            text.clear();
            text.push_str(cell);
        }
    }
}

/// `row` in a template.
#[derive(Debug)]
struct RowObject {
    names: Vec<ComparableName>,
    texts: RwLock<Vec<String>>,
}

impl Object for RowObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = ComparableName::parse(key.as_str()?);
        let at = self.names.iter().position(|known| *known == name)?;
        Some(Value::from(&*self.texts.read()[at]))
    }
}

/// What a template sees: `row` alone.
#[derive(Debug)]
struct TemplateContext(Value);

impl Object for TemplateContext {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("row")).then(|| self.0.clone())
    }
}

fn add_filters(environment: &mut Environment<'static>) {
    environment.add_filter("lower", filters::lower);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("title", filters::title);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("replace", replace);
    environment.add_filter("split", filters::split);
    environment.add_filter("lines", filters::lines);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("join", join);
    environment.add_filter("length", filters::length);
    environment.add_filter("default", filters::default);
    environment.add_filter("int", filters::int);
    environment.add_filter("string", filters::string);
}

/// Works like minijinja's filter, but with a bound: otherwise the result could be as long as the product of both
/// lengths.
fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    let times = text.matches(from).count();
    bounded(text.len() + times * to.len())?;
    Ok(text.replace(from, to))
}

/// Works like minijinja's filter, with a bound for the same reason.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a filter takes its values so"
)]
fn join(parts: Vec<String>, between: Option<&str>) -> Result<String, Error> {
    let between = between.unwrap_or_default();
    let texts: usize = parts.iter().map(String::len).sum();
    bounded(texts + parts.len() * between.len())?;
    Ok(parts.join(between))
}

fn bounded(bytes: usize) -> Result<(), Error> {
    match bytes > TEXT_BYTES {
        true => Err(Error::new(ErrorKind::OutOfFuel, "the text is too long")),
        false => Ok(()),
    }
}

fn failure(error: &Error) -> TemplateFailure {
    match error.kind() {
        ErrorKind::UndefinedError => TemplateFailure::NoSuchPart,
        ErrorKind::OutOfFuel => TemplateFailure::LongText,
        _ => TemplateFailure::Unsuitable,
    }
}

/// Says what is wrong with a template, without minijinja's own place in a file.
fn problem(error: &Error) -> String {
    let detail = error.detail().unwrap_or("its syntax is wrong");
    format!("{detail}; correct it.")
}
