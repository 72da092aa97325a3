//! A compiled expression asked over values; and why it can't be told, in plain words.
//!
//! Only what an expression names is converted, and of a dotted path only its
//! end: a body of 64 KiB costs nothing where the status alone is asked for.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use cel::common::types::{CelBool, CelDouble, CelList, CelMap, CelMapKey, CelNull, CelString, DOUBLE_TYPE};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, ExecutionError, IdedExpr};

use super::lower::REMAINDER;
use crate::kernel::board::{Value, Values};

/// The longest piece of a message that comes from a value or a library.
const TOLD_CHARACTERS_MAX: usize = 120;

/// The standard functions of CEL, and the remainder of two fractions, which CEL
/// has for whole numbers alone. Built once: it is a map of some hundred entries.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    let added = environment.add_overload(REMAINDER, "remainder_double", vec![DOUBLE_TYPE, DOUBLE_TYPE], remainder);
    debug_assert!(added.is_ok(), "the standard library has no function of that name");
    Arc::new(environment)
});

#[expect(clippy::needless_pass_by_value, reason = "the signature that every CEL function has")]
fn remainder<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let number =
        |at: usize| arguments.get(at).and_then(|value| value.downcast_ref::<CelDouble>()).map(|it| *it.inner());
    let (Some(of), Some(by)) = (number(0), number(1)) else {
        return Err(ExecutionError::function_error(REMAINDER, "both sides are numbers"));
    };
    if by == 0.0 {
        return Err(ExecutionError::function_error(REMAINDER, "nothing is divided by zero"));
    }
    Ok(CowVal::owned(CelDouble::from(of % by)))
}

/// Whether `tree` holds over `values`.
pub(super) fn holds(tree: &IdedExpr, values: &Values) -> Result<bool, String> {
    let lent = Lent(values);
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    context.set_variable_resolver(&lent);
    let answer = cel::Value::resolve_val(tree, &context).map_err(|error| plain(&error))?;
    let verdict = answer.downcast_ref::<CelBool>().map(|verdict| *verdict.inner());
    verdict.ok_or_else(|| format!("the answer is {}, not true or false", kind(answer.get_type().name())))
}

/// Values lent to one evaluation.
struct Lent<'v>(&'v Values);

impl VariableResolver for Lent<'_> {
    /// The evaluation asks for the longest path first, so most paths end here.
    fn resolve<'b>(&'b self, path: &str) -> Option<CowVal<'b, 'b>> {
        self.0.get(path).map(|value| CowVal::Owned(lend(value)))
    }
}

fn lend(value: &Value) -> Box<dyn Val + '_> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(yes) => Box::new(CelBool::from(*yes)),
        Value::Number(number, _) => Box::new(CelDouble::from(*number)),
        Value::Text(text) => Box::new(CelString::from(&**text)),
        Value::List(items) => Box::new(CelList::from(items.iter().map(lend).collect::<Vec<_>>())),
        Value::Map(members) => {
            let lent = members.iter().map(|(name, value)| (CelMapKey::String(CelString::from(&**name)), lend(value)));
            Box::new(CelMap::from(lent.collect::<HashMap<_, _>>()))
        }
    }
}

/// The evaluation's complaint as an operator reads it.
fn plain(error: &ExecutionError) -> String {
    match error {
        ExecutionError::UndeclaredReference(name) => format!("there is no value `{name}`"),
        ExecutionError::NoSuchKey(name) => format!("there is no value `{}`", short(name)),
        ExecutionError::NoSuchOverload(call) => {
            let kinds: Vec<_> = call.argument_types().iter().map(|it| kind(it)).collect();
            format!("`{}` does not go with {}", sign(call.function()), kinds.join(" and "))
        }
        ExecutionError::UnsupportedBinaryOperator(operation, left, right) => {
            let word = match *operation {
                "add" => "+",
                "sub" => "-",
                "mul" => "*",
                "div" => "/",
                other => other,
            };
            format!("`{word}` does not go with {} and {}", kind_of(left), kind_of(right))
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("{} can't be compared with {}", kind_of(left), kind_of(right))
        }
        ExecutionError::UnexpectedType { got, want } => format!("{} stands where {} belongs", kind(got), kind(want)),
        ExecutionError::IndexOutOfBounds(index) => match index {
            cel::Value::Float(index) => format!("the list has no entry {index}"),
            _ => "the list has no such entry".into(),
        },
        ExecutionError::FunctionError { function, message } => format!("{}: {}", sign(function), short(message)),
        ExecutionError::UnsupportedIndex(index, of) => {
            format!("{} has no entry of {}", kind_of(of), kind_of(index))
        }
        other => short(&other.to_string()),
    }
}

/// An operator or function as it is written.
fn sign(function: &str) -> &str {
    match function {
        REMAINDER => "%",
        "@in" => "in",
        other => {
            let bare = other.trim_matches('_');
            if bare.is_empty() { other } else { bare }
        }
    }
}

/// A type of CEL as an operator says it.
fn kind(name: &str) -> &str {
    match name {
        "double" | "int" | "uint" => "a number",
        "string" => "a text",
        "bool" => "true or false",
        "null_type" | "null" => "null",
        "list" | "iterable" => "a list",
        "map" => "an object",
        other => other,
    }
}

fn kind_of(value: &cel::Value) -> &'static str {
    match value {
        cel::Value::Float(_) | cel::Value::Int(_) | cel::Value::UInt(_) => "a number",
        cel::Value::String(_) => "a text",
        cel::Value::Bool(_) => "true or false",
        cel::Value::Null => "null",
        cel::Value::List(_) => "a list",
        cel::Value::Map(_) => "an object",
        _ => "something else",
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(TOLD_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
