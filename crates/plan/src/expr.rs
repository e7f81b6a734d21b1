//! Typed expressions: what the binder makes by Flink's rules and the engine lowers to kernels.
//!
//! Every implicit cast is already explicit here: the two sides of a comparison or an arithmetic operation have the types that
//! Flink's runtime would see, so the engine never coerces.

use weir_base::Span;

use crate::{DataType, Value};

/// An expression over the columns of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it does.
    pub kind: ExprKind,
    /// The type of its result.
    pub data_type: DataType,
    /// Where it stands in the script, for errors while it runs.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// The column at this index of the input.
    Column(usize),
    /// A constant.
    Literal(Value),
    /// A function or operator over arguments.
    Call(Function, Vec<Expr>),
    /// `CAST(x AS t)` or an implicit cast; the target is the expression's type.
    Cast(Box<Expr>, CastMode),
    /// `CASE WHEN condition THEN result ... ELSE result END`; a simple CASE is rewritten to this. `otherwise` is NULL where absent.
    Case {
        /// Conditions (BOOLEAN) with results, in order. Later ones are evaluated only for rows where no earlier one was TRUE.
        branches: Vec<(Expr, Expr)>,
        /// The result where no condition was TRUE.
        otherwise: Box<Expr>,
    },
    /// The field at this index of a ROW.
    Field(Box<Expr>, usize),
}

/// How a cast treats what does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CastMode {
    /// `CAST`: a value that cannot be read fails the job.
    Cast,
    /// `TRY_CAST`: it becomes NULL.
    TryCast,
}

/// Scalar functions and operators. The binder has checked number and types of arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `a AND b ...`: three-valued; later arguments are evaluated only where no earlier one is FALSE.
    And,
    /// `a OR b ...`: three-valued; later arguments are evaluated only where no earlier one is TRUE.
    Or,
    /// `NOT a`
    Not,
    /// `a IS NULL`
    IsNull,
    /// `a IS NOT NULL`
    IsNotNull,
    /// `a IS TRUE`
    IsTrue,
    /// `a IS FALSE`
    IsFalse,
    /// `a IS NOT TRUE`
    IsNotTrue,
    /// `a IS NOT FALSE`
    IsNotFalse,
    /// `a = b`
    Equal,
    /// `a <> b`
    NotEqual,
    /// `a < b`
    Less,
    /// `a <= b`
    LessOrEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterOrEqual,
    /// `a IS DISTINCT FROM b`
    IsDistinctFrom,
    /// `a IS NOT DISTINCT FROM b`
    IsNotDistinctFrom,
    /// `a IN (b, c, ...)`, three-valued; arguments: needle, then the list.
    In,
    /// `a LIKE pattern [ESCAPE e]`
    Like,
    /// `a SIMILAR TO pattern [ESCAPE e]`
    SimilarTo,
    /// `a + b`: numbers, or a time and an interval.
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`
    Divide,
    /// `a % b`, `MOD(a, b)`
    Modulo,
    /// `-a`
    Negate,
    /// `ABS(a)`
    Abs,
    /// `FLOOR(a)`
    Floor,
    /// `CEIL(a)`
    Ceil,
    /// `ROUND(a [, digits])`
    Round,
    /// `TRUNCATE(a [, digits])`
    Truncate,
    /// `POWER(a, b)`
    Power,
    /// `SQRT(a)`
    Sqrt,
    /// `EXP(a)`
    Exp,
    /// `LN(a)`
    Ln,
    /// `LOG10(a)`
    Log10,
    /// `LOG2(a)`
    Log2,
    /// `LOG(a)`, `LOG(base, a)`
    Log,
    /// `SIN(a)`
    Sin,
    /// `COS(a)`
    Cos,
    /// `TAN(a)`
    Tan,
    /// `COT(a)`
    Cot,
    /// `ASIN(a)`
    Asin,
    /// `ACOS(a)`
    Acos,
    /// `ATAN(a)`
    Atan,
    /// `ATAN2(y, x)`
    Atan2,
    /// `SINH(a)`
    Sinh,
    /// `COSH(a)`
    Cosh,
    /// `TANH(a)`
    Tanh,
    /// `DEGREES(a)`
    Degrees,
    /// `RADIANS(a)`
    Radians,
    /// `PI()`
    Pi,
    /// `E()`
    E,
    /// `RAND([seed])`: a seed that is a constant starts one sequence for all rows, another one for each row.
    Rand,
    /// `RAND_INTEGER([seed,] bound)`: below the bound, from 0.
    RandInteger,
    /// `UUID()`: of version 4.
    Uuid,
    /// `SIGN(a)`
    Sign,
    /// `GREATEST(a, ...)`: NULL where an argument is NULL.
    Greatest,
    /// `LEAST(a, ...)`: NULL where an argument is NULL.
    Least,
    /// `COALESCE(a, ...)`: later arguments are evaluated only where all earlier ones are NULL.
    Coalesce,
    /// `NULLIF(a, b)`
    NullIf,
    /// `IF(condition, a, b)`
    If,
    /// `a || b`, `CONCAT(a, ...)`: NULL where an argument is NULL.
    Concat,
    /// `CONCAT_WS(separator, a, ...)`: NULL arguments are left out.
    ConcatWs,
    /// `UPPER(a)`
    Upper,
    /// `LOWER(a)`
    Lower,
    /// `TRIM([BOTH] characters FROM a)`: arguments a, characters.
    TrimBoth,
    /// `TRIM(LEADING characters FROM a)`, `LTRIM(a)`
    TrimLeading,
    /// `TRIM(TRAILING characters FROM a)`, `RTRIM(a)`
    TrimTrailing,
    /// `CHAR_LENGTH(a)`: characters.
    CharLength,
    /// `SUBSTRING(a FROM start [FOR length])`, `SUBSTR(a, start [, length])`
    Substring,
    /// `LEFT(a, count)`: the first characters, none for a count below 1.
    Left,
    /// `RIGHT(a, count)`: the last characters, none for a count below 1.
    Right,
    /// `POSITION(a IN b)`, arguments a, b: from 1, 0 where absent.
    Position,
    /// `REPLACE(a, from, to)`
    Replace,
    /// `REGEXP_EXTRACT(a, pattern [, group])`
    RegexpExtract,
    /// `REGEXP_REPLACE(a, pattern, to)`
    RegexpReplace,
    /// `REGEXP(a, pattern)`
    Regexp,
    /// `SPLIT_INDEX(a, separator, index)`
    SplitIndex,
    /// `LPAD(a, length, pad)`
    Lpad,
    /// `RPAD(a, length, pad)`
    Rpad,
    /// `REVERSE(a)`
    Reverse,
    /// `ASCII(a)`: the first byte, as a signed number; 0 for an empty text.
    Ascii,
    /// `CHR(code)`: the character of the code's low byte.
    Chr,
    /// `ELT(index, a, ...)`: the argument at the index from 1, NULL where there is none.
    Elt,
    /// `INSTR(a, part [, start [, occurrence]])`: from 1, 0 where absent.
    Instr,
    /// `LOCATE(part, a [, start])`: from 1, 0 where absent.
    Locate,
    /// `OVERLAY(a PLACING b FROM start [FOR length])`, arguments in this order.
    Overlay,
    /// `REPEAT(a, count)`
    Repeat,
    /// `TRANSLATE(a, from, to)`: characters replaced one by one.
    Translate,
    /// `INITCAP(a)`
    InitCap,
    /// `PRINTF(format, a, ...)` by Java's `Formatter`, NULL where that fails.
    Printf,
    /// `STARTSWITH(a, start)` of texts or bytes
    StartsWith,
    /// `ENDSWITH(a, end)` of texts or bytes
    EndsWith,
    /// `SPLIT(a, separator)` to an ARRAY
    Split,
    /// `STR_TO_MAP(a [, between pairs, between key and value])`: the two are regular expressions.
    StrToMap,
    /// `IS_ALPHA(a)`
    IsAlpha,
    /// `IS_DIGIT(a)`
    IsDigit,
    /// `IS_DECIMAL(a)`
    IsDecimal,
    /// `REGEXP_COUNT(a, pattern)`
    RegexpCount,
    /// `REGEXP_EXTRACT_ALL(a, pattern [, group])` to an ARRAY
    RegexpExtractAll,
    /// `REGEXP_INSTR(a, pattern)`: where the first match begins, in UTF-16 units from 1; 0 where there is none.
    RegexpInstr,
    /// `REGEXP_SUBSTR(a, pattern)`: the first match.
    RegexpSubstr,
    /// `BIN(a)`: the digits of base 2 of a BIGINT.
    Bin,
    /// `HEX(a)` of a BIGINT, or of a text's bytes
    Hex,
    /// `UNHEX(a)` to BYTES
    Unhex,
    /// `TO_BASE64(a)` of texts or bytes
    ToBase64,
    /// `FROM_BASE64(a)` of texts or bytes, to a text
    FromBase64,
    /// `ENCODE(a, charset)` to BYTES
    Encode,
    /// `DECODE(bytes, charset)`
    Decode,
    /// `URL_ENCODE(a)`
    UrlEncode,
    /// `URL_DECODE(a)`
    UrlDecode,
    /// `PARSE_URL(a, part [, key])`
    ParseUrl,
    /// `INET_ATON(a)`: an IPv4 address as a BIGINT.
    InetAton,
    /// `INET_NTOA(a)`: a BIGINT as an IPv4 address.
    InetNtoa,
    /// `HASH_CODE(a)`: Java's hash code.
    HashCode,
    /// `MD5(a)` of texts or bytes; all hashes are hexadecimal digits.
    Md5,
    /// `SHA1(a)`
    Sha1,
    /// `SHA224(a)`
    Sha224,
    /// `SHA256(a)`
    Sha256,
    /// `SHA384(a)`
    Sha384,
    /// `SHA512(a)`
    Sha512,
    /// `SHA2(a, bits)`
    Sha2,
    /// `PROCTIME()`, `CURRENT_TIMESTAMP`, `NOW()`: the processing time of the batch, TIMESTAMP_LTZ(3).
    CurrentTimestamp,
    /// `LOCALTIMESTAMP`: the processing time in `table.local-time-zone`, TIMESTAMP(3).
    LocalTimestamp,
    /// `CURRENT_DATE` in `table.local-time-zone`
    CurrentDate,
    /// `CURRENT_TIME`, `LOCALTIME` in `table.local-time-zone`
    CurrentTime,
    /// `CONVERT_TZ(text, from, to)`: a text `yyyy-MM-dd HH:mm:ss` of one time zone in another.
    ConvertTz,
    /// `TO_TIMESTAMP_LTZ(text [, format [, zone]])`, in UTC where no zone is named.
    ReadTimestampLtz,
    /// `TO_TIMESTAMP_LTZ(number, precision)`: units of `10^-precision` seconds since the epoch.
    ToTimestampLtz,
    /// `TO_TIMESTAMP(text [, format])`
    ToTimestamp,
    /// `TO_DATE(text [, format])`
    ToDate,
    /// `DATE_FORMAT(timestamp or text, format)`
    DateFormat,
    /// `FROM_UNIXTIME(seconds [, format])`
    FromUnixtime,
    /// `UNIX_TIMESTAMP([text [, format]])`: seconds since the epoch; without a text those of the processing time.
    UnixTimestamp,
    /// `EXTRACT(unit FROM a)`: arguments the unit as an upper-case string literal, then a.
    Extract,
    /// `FLOOR(a TO unit)`: arguments a, the unit as an upper-case string literal.
    FloorTo,
    /// `CEIL(a TO unit)`
    CeilTo,
    /// `TIMESTAMPDIFF(unit, a, b)`: arguments the unit as an upper-case string literal, a, b.
    TimestampDiff,
    /// `ARRAY[a, ...]`
    ArrayOf,
    /// `MAP[key, value, ...]`
    MapOf,
    /// `ROW(a, ...)`
    RowOf,
    /// `array[index]` (from 1) and `map[key]`: NULL where absent.
    ItemAt,
    /// `CARDINALITY(a)` of an array or a map.
    Cardinality,
    /// `ELEMENT(array)`: the only element, NULL of an empty array.
    Element,
    /// `ARRAY_APPEND(array, element)`
    ArrayAppend,
    /// `ARRAY_CONCAT(array, ...)`
    ArrayConcat,
    /// `ARRAY_CONTAINS(array, element)`; the element may be NULL.
    ArrayContains,
    /// `ARRAY_DISTINCT(array)`
    ArrayDistinct,
    /// `ARRAY_EXCEPT(a, b)`: the elements of a that b has not, each once.
    ArrayExcept,
    /// `ARRAY_INTERSECT(a, b)`
    ArrayIntersect,
    /// `ARRAY_JOIN(array, separator [, null])`
    ArrayJoin,
    /// `ARRAY_MAX(array)`
    ArrayMax,
    /// `ARRAY_MIN(array)`
    ArrayMin,
    /// `ARRAY_POSITION(array, element)`: from 1, 0 where absent.
    ArrayPosition,
    /// `ARRAY_PREPEND(array, element)`
    ArrayPrepend,
    /// `ARRAY_REMOVE(array, element)`; the element may be NULL.
    ArrayRemove,
    /// `ARRAY_REVERSE(array)`
    ArrayReverse,
    /// `ARRAY_SLICE(array, from [, to])`
    ArraySlice,
    /// `ARRAY_SORT(array [, ascending [, null first]])`
    ArraySort,
    /// `ARRAY_UNION(a, b)`
    ArrayUnion,
    /// `MAP_ENTRIES(map)`
    MapEntries,
    /// `MAP_FROM_ARRAYS(keys, values)`
    MapFromArrays,
    /// `MAP_KEYS(map)`
    MapKeys,
    /// `MAP_UNION(map, ...)`: of equal keys the last counts.
    MapUnion,
    /// `MAP_VALUES(map)`
    MapValues,
    /// `JSON_VALUE(text, path)`: the scalar at the path as STRING, NULL where absent. Four more arguments: as literals `NULL`, `ERROR` or `DEFAULT` on
    /// empty, its default, the same on error. The result's type is that of RETURNING.
    JsonValue,
    /// `JSON_QUERY(text, path)`, and as literals the wrapper (`WITHOUT`, `CONDITIONAL`, `UNCONDITIONAL`) and what is given on empty and on error.
    JsonQuery,
    /// `JSON_EXISTS(text, path)`, and as a literal what is given on error.
    JsonExists,
    /// `a IS JSON kind`: arguments a, the kind as a literal (`VALUE`, `SCALAR`, `ARRAY`, `OBJECT`).
    IsJson,
    /// `JSON_OBJECT(...)`: arguments the literal `NULL` or `ABSENT` (ON NULL), then keys and values in turn.
    JsonObject,
    /// `JSON_ARRAY(...)`: arguments the literal `NULL` or `ABSENT` (ON NULL), then the values.
    JsonArray,
    /// `JSON(text)`, a value of JSON_OBJECT or JSON_ARRAY: the text is JSON already.
    Json,
    /// `JSON_STRING(a)`
    JsonString,
    /// `JSON_QUOTE(a)`
    JsonQuote,
    /// `JSON_UNQUOTE(a)`
    JsonUnquote,
    /// `METRIC_COUNT(name, a)`: a, counting where it is TRUE under the metric of this name.
    MetricCount,
    /// `METRIC_HISTOGRAM(name, a)`: a, whose distribution the metric of this name shows.
    MetricHistogram,
}

impl Expr {
    /// An expression that nobody wrote.
    pub fn new(kind: ExprKind, data_type: DataType) -> Self {
        Self { kind, data_type, span: Span::default() }
    }

    /// The column at `index`, of `data_type`.
    pub fn column(index: usize, data_type: DataType) -> Self {
        Self::new(ExprKind::Column(index), data_type)
    }

    /// The same expression, standing at `span`.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// Calls `visit` for this expression and everything inside it, outermost first.
    pub fn visit(&self, visit: &mut impl FnMut(&Expr)) {
        visit(self);
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) => {}
            ExprKind::Call(_, arguments) => arguments.iter().for_each(|argument| argument.visit(visit)),
            ExprKind::Cast(inner, _) | ExprKind::Field(inner, _) => inner.visit(visit),
            ExprKind::Case { branches, otherwise } => {
                for (condition, result) in branches {
                    condition.visit(visit);
                    result.visit(visit);
                }
                otherwise.visit(visit);
            }
        }
    }

    /// Calls `change` for every part, innermost first, then for the whole.
    pub fn rewrite(&mut self, change: &mut impl FnMut(&mut Expr)) {
        match &mut self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) => {}
            ExprKind::Call(_, arguments) => arguments.iter_mut().for_each(|argument| argument.rewrite(change)),
            ExprKind::Cast(inner, _) | ExprKind::Field(inner, _) => inner.rewrite(change),
            ExprKind::Case { branches, otherwise } => {
                for (condition, result) in branches {
                    condition.rewrite(change);
                    result.rewrite(change);
                }
                otherwise.rewrite(change);
            }
        }
        change(self);
    }
}
