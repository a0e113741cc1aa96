import Testing

@testable import Web

struct Book: Model {
    static let table = "book"
    static let title = Field("title", \.title, maxLength: 100)
    static let pages = Field("pages", \.pages)
    static let price = Field("price", \.price)
    static let isLent = Field("is_lent", \.isLent)
    static let lent = Field("lent_at", \.lent, label: "lent since")
    static let columns = Columns(id, title, pages, price, isLent, lent)

    var id = 0
    var title: String
    var pages = 0
    var price = 0.0
    var isLent = false
    var lent: Date?
}

extension Book {
    init(row: Row) throws(DatabaseError) {
        id = try row[Self.id]
        title = try row[Self.title]
        pages = try row[Self.pages]
        price = try row[Self.price]
        isLent = try row[Self.isLent]
        lent = try row[Self.lent]
    }

    static let creation = """
        CREATE TABLE book (
            id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE, pages INTEGER NOT NULL, price REAL NOT NULL,
            is_lent INTEGER NOT NULL, lent_at TEXT
        )
        """

    static func shelf() throws -> Database {
        let database = try Database(.memory)
        try database.execute(creation)
        for (title, pages) in [("Emma", 400), ("Ulysses", 730), ("Candide", 130), ("50% off_", 10)] {
            _ = try Book(title: title, pages: pages).created(in: database)
        }
        return database
    }
}

@Suite struct Queries {
    @Test func roundTrip() throws {
        let database = try Book.shelf()
        let moment = Date(timeIntervalSince1970: 1_700_000_000.25)
        let book = try Book(title: "Ünï", pages: -1, price: 1.5, isLent: true, lent: moment).created(in: database)
        let read = try Book.objects.get(book.id, in: database)
        #expect(read.title == "Ünï")
        #expect(read.pages == -1)
        #expect(read.price == 1.5)
        #expect(read.isLent)
        #expect(read.lent == moment)
    }

    private static let conditions: [(Condition<Book>, [String])] = [
        (Book.pages > 130, ["Emma", "Ulysses"]), (Book.pages <= 130, ["Candide", "50% off_"]),
        (Book.title == "Emma", ["Emma"]), (Book.title != "Emma", ["Ulysses", "Candide", "50% off_"]),
        (Book.lent == nil, ["Emma", "Ulysses", "Candide", "50% off_"]), (Book.lent != nil, []),
        (Book.pages > 130 && Book.pages < 500, ["Emma"]),
        (Book.pages < 100 || Book.pages > 500, ["Ulysses", "50% off_"]),
        (!(Book.pages < 500), ["Ulysses"]), (Book.title.isOne(of: ["Emma", "Candide"]), ["Emma", "Candide"]),
        (Book.title.isOne(of: []), []), (Book.title.contains("%"), ["50% off_"]),
        (Book.title.contains("f_"), ["50% off_"]),
        (Book.title.contains("MM"), ["Emma"]), (Book.title == "'; DROP TABLE book; --", []),
    ]

    @Test(arguments: conditions.indices)
    func filter(_ index: Int) throws {
        let (condition, titles) = Self.conditions[index]
        let query = Book.objects.filter(condition).ordered(by: Book.id.ascending)
        let database = try Book.shelf()
        #expect(try query.all(in: database).map(\.title) == titles)
        #expect(try query.count(in: database) == titles.count)
        #expect(try query.exists(in: database) == !titles.isEmpty)
    }

    @Test func orderAndLimit() throws {
        let database = try Book.shelf()
        let query = Book.objects.ordered(by: Book.pages.descending)
        #expect(try query.all(in: database).map(\.pages) == [730, 400, 130, 10])
        #expect(try query.limited(to: 2, offset: 1).all(in: database).map(\.pages) == [400, 130])
        #expect(try query.limited(to: 2, offset: 3).count(in: database) == 1)
        #expect(try query.first(in: database)?.pages == 730)
        #expect(try query.exclude(Book.pages > 100).first(in: database)?.pages == 10)
    }

    @Test func getting() throws {
        let database = try Book.shelf()
        #expect(throws: DatabaseError.doesNotExist(table: "book")) { try Book.objects.get(99, in: database) }
        #expect(throws: DatabaseError.severalFound(table: "book")) { try Book.objects.get(in: database) }
        #expect(throws: Http404.self) { try Book.objects.getOr404(99, in: database) }
    }

    @Test func changing() throws {
        let database = try Book.shelf()
        #expect(
            try Book.objects.filter(Book.pages > 200).update(
                Book.pages.increment(by: 5), Book.isLent.set(to: true), in: database) == 2)
        #expect(
            try Book.objects.filter(Book.isLent == true).ordered(by: Book.id.ascending).all(in: database).map(\.pages)
                == [405, 735])
        var emma = try Book.objects.filter(Book.title == "Emma").get(in: database)
        emma.title = "Emma!"
        try emma.update(in: database)
        #expect(try Book.objects.get(emma.id, in: database).title == "Emma!")
        try emma.delete(in: database)
        #expect(throws: DatabaseError.doesNotExist(table: "book")) { try emma.update(in: database) }
        #expect(try Book.objects.filter(Book.pages < 200).delete(in: database) == 2)
        #expect(try Book.objects.count(in: database) == 1)
    }

    @Test func constraints() throws {
        let database = try Book.shelf()
        #expect(throws: DatabaseError.constraint(reason: "UNIQUE constraint failed: book.title")) {
            try Book(title: "Emma").created(in: database)
        }
    }

    @Test func transactions() throws {
        struct Stop: Error {}
        let database = try Book.shelf()
        #expect(throws: Stop.self) {
            try database.transaction { transaction in
                try Book.objects.delete(in: transaction)
                #expect(try Book.objects.count(in: transaction) == 0)
                throw Stop()
            }
        }
        #expect(try Book.objects.count(in: database) == 4)
        let count = try database.transaction { try Book.objects.delete(in: $0) }
        #expect(count == 4)
        #expect(try Book.objects.count(in: database) == 0)
    }

    @Test func columnsDescribeThemselves() {
        let lent = Book.columns.all[5]
        #expect(lent.label == "lent since")
        #expect(lent.isNullable)
        #expect(Book.columns.all[4].label == "is lent")
        #expect(Book.columns.all[1].maxLength == 100)
        #expect(Book.columns.all.map(\.sqlType) == ["INTEGER", "TEXT", "INTEGER", "REAL", "INTEGER", "TEXT"])
    }

    @Test func wrongTypeInTheTable() throws {
        let database = try Book.shelf()
        try database.execute("UPDATE book SET pages = 'many' WHERE id = 1")
        #expect(throws: DatabaseError.value(column: "pages", found: "text(\"many\")", expected: "Int")) {
            try Book.objects.get(1, in: database)
        }
    }
}

@Suite struct Timestamps {
    @Test(arguments: [
        (0, "1970-01-01 00:00:00"), (1_772_323_200, "2026-03-01 00:00:00"), (-1, "1969-12-31 23:59:59"),
        (951_782_400.5, "2000-02-29 00:00:00.500000"), (4_102_444_799.999999, "2099-12-31 23:59:59.999999"),
    ])
    func text(_ seconds: Double, _ text: String) {
        #expect(Timestamp.text(Date(timeIntervalSince1970: seconds)) == text)
        #expect(abs((Timestamp.date(text)?.timeIntervalSince1970 ?? .nan) - seconds) < 0.000_001)
    }

    @Test(arguments: [
        "", "2026", "2026-13-01", "2026-01-00", "2026-01-01 25:00:00", "2026-01-01 00:00:00.", "2026-01-01 00:00:00x",
        "2026-01-01x00:00:00", "20xx-01-01 00:00:00",
    ])
    func refused(_ text: String) { #expect(Timestamp.date(text) == nil) }

    @Test func otherForms() {
        #expect(Timestamp.date("1970-01-02")?.timeIntervalSince1970 == 86_400)
        #expect(Timestamp.date("1970-01-01T00:00:01Z")?.timeIntervalSince1970 == 1)
    }
}
