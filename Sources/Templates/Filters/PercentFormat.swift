import Glibc

/// Python's `%` formatting of one value, without the leading `%`: flags, width, precision and `s r d i u f F e E g G x X o c`.
enum PercentFormat {
    static func format(_ value: TemplateValue, _ specification: String) throws -> String {
        var rest = Array(specification.utf8)[...]
        var flags: Set<UInt8> = []
        while let byte = rest.first, "-+ 0#".utf8.contains(byte) {
            flags.insert(byte)
            rest = rest.dropFirst()
        }
        let width = try number(&rest) ?? 0
        var precision: Int?
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            precision = try number(&rest) ?? 0
        }
        guard let conversion = rest.first else { return "" }
        let tail = String(decoding: rest.dropFirst(), as: UTF8.self).replacing(utf8: "%%", with: "%")
        let isNumeric: Bool
        var body: String
        switch Character(Unicode.Scalar(conversion)) {
        case "s", "r", "a":
            let text = conversion == UInt8(ascii: "s") ? value.text : value.representation
            body = precision.map { String(String.UnicodeScalarView(text.unicodeScalars.prefix($0))) } ?? text
            isNumeric = false
        case "d", "i", "u":
            // Django renders nothing when Python's formatting raises.
            guard value.isNumber, let whole = value.integer else { return "" }
            body = integer(whole, radix: 10, precision, uppercase: false)
            isNumeric = true
        case "x", "X", "o":
            guard value.isNumber, let whole = value.integer else { return "" }
            if case .double = value { return "" }
            let radix = conversion == UInt8(ascii: "o") ? 8 : 16
            body = integer(whole, radix: radix, precision, uppercase: conversion == UInt8(ascii: "X"))
            isNumeric = true
        case "f", "F", "e", "E", "g", "G":
            guard value.isNumber, let number = value.number else { return "" }
            body = floating(number, conversion, precision ?? 6, alternate: flags.contains(UInt8(ascii: "#")))
            isNumeric = true
        case "c":
            if case .int(let code) = value {
                guard let scalar = UInt32(exactly: code).flatMap(Unicode.Scalar.init) else { return "" }
                body = String(scalar)
            } else {
                guard value.text.unicodeScalars.count == 1 else { return "" }
                body = value.text
            }
            isNumeric = false
        default:
            return ""
        }
        if isNumeric, !body.hasPrefix("-") {
            if flags.contains(UInt8(ascii: "+")) {
                body = "+" + body
            } else if flags.contains(UInt8(ascii: " ")) {
                body = " " + body
            }
        }
        return pad(body, width: width, flags: flags, isNumeric: isNumeric) + tail
    }

    private static func pad(_ body: String, width: Int, flags: Set<UInt8>, isNumeric: Bool) -> String {
        let missing = width - body.unicodeScalars.count
        guard missing > 0 else { return body }
        if flags.contains(UInt8(ascii: "-")) { return body + String(repeating: " ", count: missing) }
        guard isNumeric, flags.contains(UInt8(ascii: "0")) else { return String(repeating: " ", count: missing) + body }
        let hasSign = body.hasPrefix("-") || body.hasPrefix("+") || body.hasPrefix(" ")
        let sign = hasSign ? body.prefix(1) : ""
        return sign + String(repeating: "0", count: missing) + body.dropFirst(sign.count)
    }

    private static func integer(_ value: Int, radix: Int, _ precision: Int?, uppercase: Bool) -> String {
        let digits = String(value.magnitude, radix: radix, uppercase: uppercase)
        let zeros = String(repeating: "0", count: max(0, (precision ?? 0) - digits.count))
        return (value < 0 ? "-" : "") + zeros + digits
    }

    private static func floating(_ value: Double, _ conversion: UInt8, _ precision: Int, alternate: Bool) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let format = "%" + (alternate ? "#" : "") + ".\(precision)" + String(Unicode.Scalar(conversion))
        var buffer = [CChar](repeating: 0, count: precision + 400)
        let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
        return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) throws -> Int? {
        var value: Int?
        while let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            value = (value ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
            if let value, value > TextFilters.widthLimit {
                throw TemplateFailure("the width is above \(TextFilters.widthLimit)")
            }
            rest = rest.dropFirst()
        }
        return value
    }
}
