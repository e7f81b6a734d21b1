//! URLs and addresses as Flink reads and writes them.

use weir_plan::Function as F;

use super::super::tests::*;

#[test]
fn urls_are_encoded_as_forms_are() {
    let encode = |value| one(&call(F::UrlEncode, vec![text(value)], STRING));
    assert_eq!(encode("a b?x=ä&y=1+2~*-._"), "a+b%3Fx%3D%C3%A4%26y%3D1%2B2%7E*-._");
    assert_eq!(encode("😀"), "%F0%9F%98%80");
    let decode = |value| one(&call(F::UrlDecode, vec![text(value)], STRING));
    assert_eq!(decode("https%3A%2F%2Fa+b%C3%A4"), "https://a bä");
    assert_eq!(["%zz", "abc%", "%C3%", "%4"].map(decode), ["NULL"; 4]);
    assert_eq!(decode("%E4"), "\u{fffd}");
}

#[test]
fn parts_of_urls() {
    let of = |url, part| one(&call(F::ParseUrl, vec![text(url), text(part)], STRING));
    let url = "http://u:p@facebook.com:80/path/p1.php?query=1&b=2#frag";
    let parts = ["HOST", "PATH", "QUERY", "REF", "PROTOCOL", "FILE", "AUTHORITY", "USERINFO", "host"];
    assert_eq!(
        parts.map(|part| of(url, part)),
        [
            "facebook.com",
            "/path/p1.php",
            "query=1&b=2",
            "frag",
            "http",
            "/path/p1.php?query=1&b=2",
            "u:p@facebook.com:80",
            "u:p",
            "NULL"
        ]
    );
    assert_eq!(of("http://[::1]:8080/x", "HOST"), "[::1]");
    assert_eq!(of("mailto:a@b", "PATH"), "a@b");
    assert_eq!(of("http:relative/x?y#z", "PATH"), "relative/x");
    assert_eq!(of("jar:file:/a!/b", "PATH"), "file:/a!/b");
    assert_eq!(["nope", "foo://x/y", "http://h:abc/p"].map(|url| of(url, "HOST")), ["NULL"; 3]);
    let key = |key| one(&call(F::ParseUrl, vec![text(url), text("QUERY"), text(key)], STRING));
    assert_eq!(["b", "c", "query"].map(key), ["2", "NULL", "1"]);
}

#[test]
fn addresses_are_numbers() {
    let number = |address| one(&call(F::InetAton, vec![text(address)], T::BigInt));
    assert_eq!(["127.0.0.1", "127.1", "1", "1.2.3"].map(number), ["2130706433", "2130706433", "1", "16908291"]);
    assert_eq!(["01.002.3.4", "255.255.255.255"].map(number), ["16909060", "4294967295"]);
    assert_eq!(["256", "1.2.3.", "1..2", "", "+1.2.3.4", "1.2.3.4.5", " 1.2.3.4"].map(number), ["NULL"; 7]);
    let address = call(F::InetNtoa, vec![col(0, T::BigInt)], STRING);
    let numbers = [longs(&[Some(2_130_706_433), Some(-1), Some(4_294_967_295), Some(4_294_967_296), None])];
    assert_eq!(eval(&address, &numbers), ["127.0.0.1", "NULL", "255.255.255.255", "NULL", "NULL"]);
}
