//! The parsed tree made fit for our values: one kind of number, known functions, nothing else.
//!
//! CEL keeps whole numbers and fractions apart and refuses to mix them; a
//! board has only fractions. Rewriting the tree once, when the config is read,
//! is cheaper than converting at each run and needs no words from the writer.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators};
use cel::common::types::CelDouble;

/// The name under which `evaluate.rs` registers the remainder of two fractions.
pub(super) const REMAINDER: &str = "remainder";

/// The functions an expression may call, beside the macros `has`, `all`,
/// `exists`, `exists_one`, `map` and `filter`, which are gone by now.
const FUNCTIONS: &[&str] =
    &["size", "contains", "startsWith", "endsWith", "matches", "double", "int", "string", "bool"];

/// Functions whose answer is a whole number.
const WHOLE: &[&str] = &["size", "int"];

/// The deepest tree of operators and calls. Each level takes up to 50 KiB of
/// stack in an unoptimised build, and a worker thread has 2 MiB. A sum of
/// twenty terms is as deep; `&&` and `||` are balanced and take far more terms.
const DEPTH_MAX: usize = 20;

/// What can't be asked of values.
pub(super) struct Wrong {
    /// The word that it is about, where it is about one.
    pub(super) name: Option<String>,
    /// What is wrong.
    pub(super) message: String,
}

/// Lowers `tree`; beside it, the names it takes from the values.
pub(super) fn lower(mut tree: IdedExpr) -> Result<(IdedExpr, Vec<String>), Wrong> {
    let mut lowering = Lowering { bound: Vec::new(), free: Vec::new(), depth: 0 };
    lowering.expression(&mut tree)?;
    Ok((tree, lowering.free))
}

struct Lowering {
    /// Names that macros such as `all(x, …)` bind, innermost last.
    bound: Vec<String>,
    free: Vec<String>,
    depth: usize,
}

impl Lowering {
    fn expression(&mut self, node: &mut IdedExpr) -> Result<(), Wrong> {
        // A path such as a.b.c is evaluated in one step, whatever its length.
        let level = usize::from(!matches!(node.expr, Expr::Select(_)));
        self.depth += level;
        if self.depth > DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} operations inside each other");
            return Err(Wrong { name: None, message });
        }
        let lowered = self.node(node);
        self.depth -= level;
        lowered
    }

    fn node(&mut self, node: &mut IdedExpr) -> Result<(), Wrong> {
        match &mut node.expr {
            Expr::Literal(literal) => {
                fraction(literal);
                Ok(())
            }
            Expr::Ident(name) => {
                if !self.bound.contains(name) && !self.free.contains(name) {
                    self.free.push(name.clone());
                }
                Ok(())
            }
            Expr::Select(select) => self.expression(&mut select.operand),
            Expr::List(list) => list.elements.iter_mut().try_for_each(|element| self.expression(element)),
            Expr::Map(map) => map.entries.iter_mut().try_for_each(|entry| match &mut entry.expr {
                // Keys stay as they are: CEL has no fractions for keys.
                EntryExpr::MapEntry(entry) => self.expression(&mut entry.value),
                EntryExpr::StructField(field) => self.expression(&mut field.value),
            }),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Call(call) => {
                self.call(call)?;
                if WHOLE.contains(&call.func_name.as_str()) {
                    let whole = std::mem::take(node);
                    let call = CallExpr { func_name: "double".into(), target: None, args: vec![whole] };
                    *node = IdedExpr { id: 0, expr: Expr::Call(call) };
                }
                Ok(())
            }
            Expr::Struct(message) => Err(Wrong {
                message: format!("there is no message type `{}`", message.type_name),
                name: Some(std::mem::take(&mut message.type_name)),
            }),
            Expr::Unspecified => Err(Wrong { name: None, message: "the expression is not complete".into() }),
        }
    }

    fn call(&mut self, call: &mut CallExpr) -> Result<(), Wrong> {
        let name = call.func_name.as_str();
        // Operators carry a sign in their name, which no function's name can have.
        let is_operator = !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        if !is_operator && !FUNCTIONS.contains(&name) {
            let known = FUNCTIONS.join(", ");
            let message = format!("there is no function `{name}`; there are {known}, has, all, exists, map, filter");
            return Err(Wrong { name: Some(name.into()), message });
        }
        if name == operators::MODULO {
            call.func_name = REMAINDER.into();
        }
        if let Some(target) = &mut call.target {
            self.expression(target)?;
        }
        call.args.iter_mut().try_for_each(|argument| self.expression(argument))
    }

    fn comprehension(&mut self, it: &mut ComprehensionExpr) -> Result<(), Wrong> {
        self.expression(&mut it.iter_range)?;
        self.expression(&mut it.accu_init)?;
        let outside = self.bound.len();
        self.bound.push(it.iter_var.clone());
        self.bound.extend(it.iter_var2.clone());
        self.bound.push(it.accu_var.clone());
        let inside = [&mut it.loop_cond, &mut it.loop_step, &mut it.result];
        let lowered = inside.into_iter().try_for_each(|part| self.expression(part));
        self.bound.truncate(outside);
        lowered
    }
}

/// A whole number becomes a fraction.
#[expect(clippy::cast_precision_loss, reason = "measured numbers are fractions too; exact up to 2^53")]
fn fraction(literal: &mut LiteralValue) {
    let number = match literal {
        LiteralValue::Int(whole) => *whole.inner() as f64,
        LiteralValue::UInt(whole) => *whole.inner() as f64,
        _ => return,
    };
    *literal = LiteralValue::Double(CelDouble::from(number));
}
