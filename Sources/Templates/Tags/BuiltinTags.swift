/// The tags every template has.
enum BuiltinTags {
    static let all: [String: TagRegistry.TagParser] = [
        "autoescape": { tag, parser throws(TemplateError) in try AutoescapeNode(tag, parser) },
        "block": { tag, parser throws(TemplateError) in try BlockNode(tag, parser) },
        "comment": { tag, parser throws(TemplateError) in
            try parser.skip(to: "endcomment", opener: tag)
            return nil
        },
        "csrf_token": { tag, _ throws(TemplateError) in CSRFTokenNode() },
        "cycle": { tag, parser throws(TemplateError) in try CycleNode.parse(tag, parser) },
        "resetcycle": { tag, parser throws(TemplateError) in try ResetCycleNode(tag, parser) },
        "filter": { tag, parser throws(TemplateError) in try FilterNode(tag, parser) },
        "firstof": { tag, parser throws(TemplateError) in try FirstOfNode(tag, parser) },
        "for": { tag, parser throws(TemplateError) in try ForNode(tag, parser) },
        "if": { tag, parser throws(TemplateError) in try IfNode(tag, parser) },
        "ifchanged": { tag, parser throws(TemplateError) in try IfChangedNode(tag, parser) },
        "include": { tag, parser throws(TemplateError) in try IncludeNode(tag, parser) },
        "load": { tag, parser throws(TemplateError) in try LoadTag.check(tag, parser) },
        "now": { tag, parser throws(TemplateError) in try NowNode(tag, parser) },
        "spaceless": { tag, parser throws(TemplateError) in try SpacelessNode(tag, parser) },
        "static": { tag, parser throws(TemplateError) in try StaticNode(tag, parser) },
        "templatetag": { tag, _ throws(TemplateError) in try TemplateTagTag.parse(tag) },
        "url": { tag, parser throws(TemplateError) in try URLNode(tag, parser) },
        "verbatim": { tag, parser throws(TemplateError) in try VerbatimNode(tag, parser) },
        "widthratio": { tag, parser throws(TemplateError) in try WidthRatioNode(tag, parser) },
        "with": { tag, parser throws(TemplateError) in try WithNode(tag, parser) },
    ]

    /// Tags that only make sense inside or at the end of another one.
    static let inner = [
        "elif", "else", "empty", "endautoescape", "endblock", "endcomment", "endfilter", "endfor", "endif",
        "endifchanged", "endspaceless", "endverbatim", "endwith",
    ]
}
