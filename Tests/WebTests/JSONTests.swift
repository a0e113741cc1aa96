import Testing
import Web

@Suite struct JSON {
    @Test(
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("-0", .int(0)), ("12", .int(12)), ("1.5e2", .double(150)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)),
            (#""a\u00e9\ud83d\ude00\n""#, .string("aé😀\n")),
            ("[1, [], {}]", [1, [], [:]]), (#"{"a": {"b": [null]}}"#, ["a": ["b": [nil]]]),
        ] as [(String, JSONValue)])
    func parses(_ text: String, _ value: JSONValue) throws { #expect(try JSONValue(parsing: text) == value) }

    @Test(arguments: [
        "", " ", "nul", "01", "1.", ".5", "+1", "1e", "[1,]", "{a:1}", #"{"a":1,}"#, #""\x""#, #""\ud800""#,
        "\"a\nb\"", "[1] 2", "NaN", #""\u12g4""#, "{\"a\"}", "[", "\"", "1e999",
    ])
    func refuses(_ text: String) { #expect(throws: JSONError.self) { try JSONValue(parsing: text) } }

    @Test func invalidUTF8() { #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) } }

    @Test func depth() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000)) }
    }

    @Test func writes() throws {
        let value: JSONValue = ["a": [1, 2.5, true, nil], "b": "é</script>\"\\\u{1}"]
        #expect(value.text == #"{"a":[1,2.5,true,null],"b":"é\u003c/script\u003e\"\\\u0001"}"#)
        #expect(try JSONValue(parsing: value.text) == value)
        #expect(JSONValue.double(.infinity).text == "null")
    }
}
