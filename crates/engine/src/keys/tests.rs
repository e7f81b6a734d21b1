//! Golden hashes, equality of canonical bytes, and partitioning.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringViewBuilder};
use arrow_array::{
    ArrayRef, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array, DurationMillisecondArray, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, IntervalYearMonthArray, NullArray, RecordBatch,
    StringViewArray, StructArray, Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray,
};
use arrow_schema::{DataType as ArrowType, Field as ArrowField};
use weir_base::RowKind;
use weir_connector::Batch;
use weir_plan::{DataType, Field, LogicalType, Schema};

use super::*;

fn schema_of(types: Vec<LogicalType>) -> Schema {
    let fields = types.into_iter().enumerate();
    Schema::new(fields.map(|(index, logical)| Field::new(format!("c{index}"), DataType::nullable(logical))).collect())
}

fn batch_of(columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().enumerate().map(|(index, column)| (format!("c{index}"), column, true)),
    )
    .unwrap()
}

/// Hashes of all columns together.
fn hashes(columns: Vec<ArrayRef>) -> Vec<KeyHash> {
    let indices: Vec<usize> = (0..columns.len()).collect();
    let mut hasher = KeyHasher::new(&indices, &schema_of(vec![LogicalType::Int; columns.len()])).unwrap();
    let mut hashes = Vec::new();
    hasher.hash(&batch_of(columns), &mut hashes).unwrap();
    hashes
}

fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringViewArray::from(values.to_vec()))
}

/// ("a", 1) and (NULL, 1).
const SEVERAL: [&str; 2] = ["0xa05b11e60251f1877f9540a80b6f5a98", "0xf54c2db4ef7998b71626d166a302f99b"];
/// The key of no columns.
const NO_COLUMNS: KeyHash = 276_983_058_275_080_154_311_181_539_849_324_924_243;

#[test]
fn hashes_are_fixed_by_golden_values() {
    let long = "a text that is longer than the twelve bytes that stand in a view, and longer than 128 bytes in all, \
                so that every path of the hash is taken by some value here";
    let golden: [(ArrayRef, KeyHash); 9] = [
        (text(&[Some("")]), 0x99aa06d3014798d86001c324468d497f),
        (text(&[Some("sensor-1")]), 0x3adc7e8934fc5c3c929a32d06c84371e),
        (text(&[Some("0123456789abcdef0123456789abcdef")]), 0xcc9c4d5512a05c72fe5f6378a7825dff),
        (text(&[Some(long)]), 0x96bd523fa920426dc0b1086a707116f5),
        (text(&[None]), 0xd9265cc53bb2b9ae6131b78f753823cd),
        (Arc::new(Int32Array::from(vec![7])), 0xdeb6d224c549cbd3e8c0d782b2f61276),
        (Arc::new(Float64Array::from(vec![1.5])), 0x8e19d0c57481c05d6d22fe9c07fa4107),
        (Arc::new(Decimal128Array::from(vec![12345])), 0x0a10dba04441ea33554391b7a4c740d1),
        (Arc::new(BooleanArray::from(vec![true])), 0x51025a4491835505e12ef9d2eb86ceeb),
    ];
    let found: Vec<String> =
        golden.iter().map(|(column, _)| format!("{:#034x}", hashes(vec![column.clone()])[0])).collect();
    let expected: Vec<String> = golden.iter().map(|(_, hash)| format!("{hash:#034x}")).collect();
    assert_eq!(found, expected);
    let several = hashes(vec![text(&[Some("a"), None]), Arc::new(Int64Array::from(vec![1, 1]))]);
    assert_eq!(several.iter().map(|hash| format!("{hash:#034x}")).collect::<Vec<_>>(), SEVERAL);
    assert_eq!(hashes_without_columns(), NO_COLUMNS);
}

fn hashes_without_columns() -> KeyHash {
    let mut hasher = KeyHasher::new(&[], &Schema::default()).unwrap();
    let mut hashes = Vec::new();
    hasher.hash(&batch_of(vec![text(&[Some("a"), Some("b")])]), &mut hashes).unwrap();
    assert_eq!(hashes[0], hashes[1]);
    hashes[0]
}

#[test]
fn equal_numbers_are_equal_keys_and_different_ones_are_not() {
    let doubles = hashes(vec![Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN, 1.0]))]);
    assert_eq!(doubles[0], doubles[1]);
    assert_eq!(doubles[2], doubles[3]);
    assert_ne!(doubles[0], doubles[2]);
    assert_ne!(doubles[0], doubles[4]);
    let floats = hashes(vec![Arc::new(Float32Array::from(vec![0.0, -0.0, f32::NAN, -f32::NAN]))]);
    assert_eq!(floats[0], floats[1]);
    assert_eq!(floats[2], floats[3]);
}

#[test]
fn null_is_a_key_of_its_own() {
    let one = hashes(vec![text(&[None, Some(""), None])]);
    assert_eq!(one[0], one[2]);
    assert_ne!(one[0], one[1]);
    let two = hashes(vec![text(&[None, Some("")]), text(&[Some(""), None])]);
    assert_ne!(two[0], two[1]);
    let zero = hashes(vec![Arc::new(Int64Array::from(vec![None, Some(0)]))]);
    assert_ne!(zero[0], zero[1]);
}

#[test]
fn texts_side_by_side_keep_their_border() {
    let hashes = hashes(vec![text(&[Some("ab"), Some("a")]), text(&[Some("c"), Some("bc")])]);
    assert_ne!(hashes[0], hashes[1]);
}

#[test]
fn every_type_but_map_can_be_a_key() {
    let fields = vec![(
        Arc::new(ArrowField::new("a", ArrowType::Int32, true)),
        Arc::new(Int32Array::from(vec![1, 2, 1])) as ArrayRef,
    )];
    let mut list = ListBuilder::new(StringViewBuilder::new());
    for items in [["a", "b"], ["ab", ""], ["a", "b"]] {
        items.iter().for_each(|item| list.values().append_value(item));
        list.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![true, false, true])),
        Arc::new(Int8Array::from(vec![1, 2, 1])),
        Arc::new(Int16Array::from(vec![1, 2, 1])),
        Arc::new(Int32Array::from(vec![1, 2, 1])),
        Arc::new(Int64Array::from(vec![1, 2, 1])),
        Arc::new(Float32Array::from(vec![1.0, 2.0, 1.0])),
        Arc::new(Float64Array::from(vec![1.0, 2.0, 1.0])),
        Arc::new(Decimal128Array::from(vec![1, 2, 1])),
        text(&[Some("a"), Some("b"), Some("a")]),
        Arc::new(BinaryViewArray::from(vec![Some(b"a".as_slice()), Some(b"b"), Some(b"a")])),
        Arc::new(Date32Array::from(vec![1, 2, 1])),
        Arc::new(Time32MillisecondArray::from(vec![1, 2, 1])),
        Arc::new(TimestampMillisecondArray::from(vec![1, 2, 1])),
        Arc::new(TimestampMicrosecondArray::from(vec![1, 2, 1]).with_timezone("UTC")),
        Arc::new(TimestampNanosecondArray::from(vec![1, 2, 1])),
        Arc::new(IntervalYearMonthArray::from(vec![1, 2, 1])),
        Arc::new(DurationMillisecondArray::from(vec![1, 2, 1])),
        Arc::new(StructArray::from(fields)),
        Arc::new(list.finish()),
    ];
    for column in columns {
        for columns in [vec![column.clone()], vec![column.clone(), text(&[Some("x"); 3])]] {
            let found = hashes(columns);
            assert_eq!(found[0], found[2], "{}", column.data_type());
            assert_ne!(found[0], found[1], "{}", column.data_type());
        }
    }
    let nulls = hashes(vec![Arc::new(NullArray::new(2))]);
    assert_eq!(nulls[0], nulls[1]);
}

#[test]
fn a_map_is_refused_by_name_wherever_it_hides() {
    let map = LogicalType::Map(Box::new(DataType::string()), Box::new(DataType::string()));
    for hidden in [
        map.clone(),
        LogicalType::Array(Box::new(DataType::nullable(map.clone()))),
        LogicalType::Row(vec![Field::new("inner", DataType::nullable(map))]),
    ] {
        let error = KeyHasher::new(&[0], &schema_of(vec![hidden])).unwrap_err();
        assert!(error.to_string().starts_with("use the column '"), "{error}");
        assert!(
            error.to_string().ends_with("has no order; use the values that matter, such as map['name']"),
            "{error}"
        );
    }
}

fn numbered(rows: i64) -> Batch {
    let keys: Vec<String> = (0..rows).map(|row| format!("key-{}", row % 37)).collect();
    let keys: ArrayRef = Arc::new(StringViewArray::from_iter_values(&keys));
    let mut batch = Batch::inserts(batch_of(vec![keys, Arc::new(Int64Array::from_iter_values(0..rows))]), 42);
    batch.kinds = Some((0..rows).map(|row| if row % 2 == 0 { RowKind::Insert } else { RowKind::Delete }).collect());
    batch
}

#[test]
fn parts_keep_order_kinds_and_all_rows() {
    let schema = schema_of(vec![LogicalType::Varchar(10), LogicalType::BigInt]);
    for parallelism in [1, 2, 3, 8] {
        let mut partitioner = Partitioner::new(&[0], &schema, 128, parallelism).unwrap();
        let mut rows: Vec<i64> = Vec::new();
        let mut owner_of_key = std::collections::BTreeMap::new();
        for (subtask, part) in partitioner.partition(&numbered(1000)).unwrap() {
            assert_eq!(part.fetched_us, 42);
            let keys = part.data.column(0).as_any().downcast_ref::<StringViewArray>().unwrap().clone();
            let numbers = part.data.column(1).as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec();
            assert!(numbers.is_sorted());
            for (row, number) in numbers.iter().enumerate() {
                assert_eq!(part.kind(row), if number % 2 == 0 { RowKind::Insert } else { RowKind::Delete });
                let owner = owner_of_key.entry(keys.value(row).to_owned()).or_insert(subtask);
                assert_eq!(*owner, subtask);
            }
            rows.extend(numbers);
        }
        rows.sort_unstable();
        assert_eq!(rows, (0..1000).collect::<Vec<_>>());
        assert_eq!(owner_of_key.len(), 37);
    }
}

#[test]
fn an_empty_batch_has_no_parts() {
    let schema = schema_of(vec![LogicalType::Varchar(10), LogicalType::BigInt]);
    for parallelism in [1, 2] {
        let mut partitioner = Partitioner::new(&[0], &schema, 128, parallelism).unwrap();
        assert_eq!(partitioner.partition(&numbered(0)).unwrap().count(), 0);
    }
}
