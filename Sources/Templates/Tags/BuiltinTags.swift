/// The tags every template has.
enum BuiltinTags {
    static let all: [String: TagRegistry.TagParser] = [
        "autoescape": .init { tag, parser throws(TemplateError) in try AutoescapeNode(tag, parser) },
        "block": .init { tag, parser throws(TemplateError) in try BlockNode(tag, parser) },
        "comment": .init { tag, parser throws(TemplateError) in
            try parser.skip(to: "endcomment", opener: tag)
            return nil
        },
        "csrf_token": .init { tag, _ throws(TemplateError) in CSRFTokenNode() },
        "cycle": .init { tag, parser throws(TemplateError) in try CycleNode.parse(tag, parser) },
        "resetcycle": .init { tag, parser throws(TemplateError) in try ResetCycleNode(tag, parser) },
        "filter": .init { tag, parser throws(TemplateError) in try FilterNode(tag, parser) },
        "firstof": .init { tag, parser throws(TemplateError) in try FirstOfNode(tag, parser) },
        "for": .init { tag, parser throws(TemplateError) in try ForNode(tag, parser) },
        "if": .init { tag, parser throws(TemplateError) in try IfNode(tag, parser) },
        "ifchanged": .init { tag, parser throws(TemplateError) in try IfChangedNode(tag, parser) },
        "include": .init { tag, parser throws(TemplateError) in try IncludeNode(tag, parser) },
        "load": .init { tag, parser throws(TemplateError) in try LoadTag.check(tag, parser) },
        "now": .init { tag, parser throws(TemplateError) in try NowNode(tag, parser) },
        "spaceless": .init { tag, parser throws(TemplateError) in try SpacelessNode(tag, parser) },
        "static": .init { tag, parser throws(TemplateError) in try StaticNode(tag, parser) },
        "templatetag": .init { tag, _ throws(TemplateError) in try TemplateTagTag.parse(tag) },
        "url": .init { tag, parser throws(TemplateError) in try URLNode(tag, parser) },
        "verbatim": .init { tag, parser throws(TemplateError) in try VerbatimNode(tag, parser) },
        "widthratio": .init { tag, parser throws(TemplateError) in try WidthRatioNode(tag, parser) },
        "with": .init { tag, parser throws(TemplateError) in try WithNode(tag, parser) },
    ]

    /// Tags that only make sense inside or at the end of another one.
    static let inner = [
        "elif", "else", "empty", "endautoescape", "endblock", "endcomment", "endfilter", "endfor", "endif",
        "endifchanged", "endspaceless", "endverbatim", "endwith",
    ]
}
