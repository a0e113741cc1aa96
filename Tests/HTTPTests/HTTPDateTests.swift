import Testing

@testable import HTTP

@Suite struct HTTPDateTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"), (Int.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (Int.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
    ])
    func writesIMFFixdate(seconds: Int, text: String) {
        #expect(HTTPDate(seconds: seconds).text == text)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994",
    ])
    func readsEveryForm(text: String) {
        #expect(HTTPDate(parsing: text) == HTTPDate(seconds: 784_111_777))
    }

    @Test(arguments: [
        "", "x", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt", "Sunday, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "784111777",
    ])
    func refusesOthers(text: String) {
        #expect(HTTPDate(parsing: text) == nil)
    }

    @Test(arguments: [(2026, 94, 1994), (2026, 26, 2026), (2026, 76, 2076), (2026, 77, 1977), (1999, 0, 1900)])
    func twoDigitYearsAreNearThePast(current: Int, digits: Int, year: Int) {
        let now = HTTPDate(seconds: CivilDate(year: current, month: 6, day: 1).days * 86400)
        let two = digits < 10 ? "0\(digits)" : "\(digits)"
        let date = HTTPDate(parsing: "Sunday, 06-Nov-\(two) 00:00:00 GMT", now: now)
        #expect(date?.seconds == CivilDate(year: year, month: 11, day: 6).days * 86400)
    }

    @Test func everyDayComesBack() {
        for day in stride(from: -719_528, through: 2_932_896, by: 97) {
            let date = HTTPDate(seconds: day * 86400 + 3661)
            #expect(HTTPDate(parsing: date.text) == date)
        }
    }
}
