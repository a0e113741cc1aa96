extension Configuration {
    /// The reference documentation of all options as a manual page, `app.yaml.5`, made from their declarations.
    ///
    /// - Parameter product: the program and its version, for the page's foot.
    public static func manualPage(product: String) -> String {
        ReferencePage.page(product: product)
    }
}

/// The reference documentation as a manual page.
enum ReferencePage {
    static func page(product: String) -> String {
        var text = """
            .TH APP.YAML 5 "" "\(product)"
            .nh
            .ad l
            .SH NAME
            app.yaml \\- configuration of app(1)
            .SH DESCRIPTION

            """
        for paragraph in Reference.introduction { text += ".PP\n\(Roff.paragraph(paragraph))\n" }
        for section in Reference.sections {
            text += ".SH \(Roff.escaped(section.title.uppercased()))\n"
            for paragraph in section.introduction { text += ".PP\n\(Roff.paragraph(paragraph))\n" }
            for entry in section.entries {
                text += Roff.item(entry.name, entry.help) + ".br\n\(Roff.paragraph(entry.facts))\n"
            }
        }
        return text + """
            .SH FILES
            \(Roff.item("app.yaml", "in the working directory"))\(Roff.item("/etc/app/app.yaml", "where there is none"))\
            .SH SEE ALSO
            app(1)

            """
    }
}
