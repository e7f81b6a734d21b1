//! ARRAY_DISTINCT, ARRAY_UNION, ARRAY_EXCEPT, ARRAY_INTERSECT: elements told apart by their encoding, NULL among them.

use arrow_array::ArrayRef;
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::DataType as ArrowType;
use hashbrown::HashSet;
use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Function};

use super::super::node::{Apply, Node};
use super::of_row;
use super::pick::{elements, lists};

/// One of the functions above.
///
/// # Errors
/// Such elements cannot be compared.
pub(super) fn compile(
    function: Function,
    nodes: Vec<Node>,
    data_type: DataType,
    element: &ArrowType,
    span: Span,
) -> Result<Node> {
    let field = SortField::new(element.clone());
    if !RowConverter::supports_fields(std::slice::from_ref(&field)) {
        return Err(Error::invalid(format!("compare the elements of an array at {span}: {element} has no order")));
    }
    let arrow = data_type.arrow();
    let apply: Apply = Box::new(move |columns, scope| {
        let sources: Vec<ArrayRef> = columns.iter().map(elements).collect();
        let encoded = encoded(&field, &sources);
        let key = |source: usize, at: usize| encoded[source].row(at).data();
        lists(columns, scope, &sources, &arrow, |row, taken| {
            let of = |source: usize| of_row(&columns[source], row).map(move |at| (source, at));
            match function {
                Function::ArrayExcept => {
                    let mut out: HashSet<&[u8]> = of(1).map(|(source, at)| key(source, at)).collect();
                    taken.extend(of(0).filter(|(source, at)| out.insert(key(*source, *at))));
                }
                Function::ArrayIntersect => {
                    let mut both: HashSet<&[u8]> = of(1).map(|(source, at)| key(source, at)).collect();
                    taken.extend(of(0).filter(|(source, at)| both.remove(key(*source, *at))));
                }
                _ => {
                    let mut seen: HashSet<&[u8]> = HashSet::new();
                    for source in 0..columns.len() {
                        taken.extend(of(source).filter(|(source, at)| seen.insert(key(*source, *at))));
                    }
                }
            }
            Ok(())
        })
    });
    Ok(Node::call(nodes, data_type, span, false, apply))
}

/// All elements, encoded: equal ones have equal bytes.
fn encoded(field: &SortField, sources: &[ArrayRef]) -> Vec<Rows> {
    let converter = RowConverter::new(vec![field.clone()]).expect("the type was checked when this was compiled");
    let rows = |source: &ArrayRef| {
        let columns = std::slice::from_ref(source);
        converter.convert_columns(columns).expect("the binder has given all elements one type")
    };
    sources.iter().map(rows).collect()
}
