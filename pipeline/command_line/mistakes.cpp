#include "pipeline/command_line/mistakes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <utility>

#include "pipeline/settings/keys.hpp"
#include "pipeline/settings/suggestion.hpp"

namespace lockstep::pipeline {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

std::string meant(std::string_view word, const std::vector<std::string>& known) {
    const std::vector<std::string_view> views(known.begin(), known.end());
    return did_you_mean(word, views);
}

// What other programs call a verb.
std::string verb_of_others(std::string_view word) {
    struct Synonym {
        std::string_view word, verb;
    };
    constexpr std::array<Synonym, 10> kSynonyms{{{"train", "run"},
                                                 {"fit", "run"},
                                                 {"resume", "run"},
                                                 {"start", "run"},
                                                 {"list", "ls"},
                                                 {"status", "ls"},
                                                 {"delete", "rm"},
                                                 {"remove", "rm"},
                                                 {"follow", "tail"},
                                                 {"check", "fsck"}}};
    const auto found = std::ranges::find(kSynonyms, word, &Synonym::word);
    return found == kSynonyms.end() ? "" : fmt::format("; did you mean \"{}\"?", found->verb);
}

// `hint` is a question or nothing; what explains it follows.
std::string with_advice(const std::string& hint, const std::string& advice) {
    return hint.empty() ? "; " + advice : fmt::format("{} {}", hint, advice);
}

// A setting of [train] that is given as an option, where the verb takes settings.
std::string meant_setting(const CLI::App& verb, const std::vector<std::string>& words) {
    const std::string& word = words.front();
    if (!word.starts_with("--") || verb.get_option_no_throw("--set") == nullptr) return {};
    const std::size_t equals = word.find('=');
    std::string key = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    std::ranges::replace(key, '-', '_');
    const auto& known = keys_of(KeyGroup::train).keys;
    if (std::ranges::find(known, key) == known.end()) return {};
    const std::string value = equals != std::string::npos ? word.substr(equals + 1)
                              : words.size() > 1          ? words[1]
                                                          : "VALUE";
    return fmt::format("; did you mean --set train.{}={}?", key, value);
}

// What was meant by an unknown option, the first of the words that nothing was made of.
std::string meant_option(const CLI::App& verb, const std::vector<std::string>& words) {
    const std::string& word = words.front();
    const bool may_be_tag = verb.get_name() == "tag" && !word.starts_with("--") && word.size() > 1;
    if (may_be_tag) return fmt::format("; did you mean --remove {}?", word.substr(1));
    std::string hint = meant_setting(verb, words);
    if (hint.empty()) hint = meant(word.substr(0, word.find('=')), option_names(verb));
    return hint;
}

// A line of examples without what it says of it, which stands behind several spaces.
std::string example_in(const std::string& line) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos) return {};
    return line.substr(begin, line.find("  ", begin) - begin);
}

// The verb that the words name, and the number of words.
std::pair<const CLI::App*, int> named_verb(const CLI::App& app, ProcessArguments arguments) {
    const CLI::App* verb = &app;
    int place = 1;
    for (; place < arguments.count; ++place) {
        const std::string_view word = arguments.values[place];
        const auto found =
            verb->get_subcommands([&](const CLI::App* each) { return each->get_name() == word; });
        if (found.empty()) break;
        verb = found.front();
    }
    return {verb, place};
}

UsageError without_value(const CLI::Option& option) {
    return UsageError(
        fmt::format("--{} needs a value: {}", option.get_lnames().front(), option.get_type_name()));
}

}  // namespace

std::vector<std::string> verb_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(verb->get_name());
    }
    return names;
}

const CLI::App& parsed_verb(const CLI::App& app) {
    const auto verbs = app.get_subcommands();
    return verbs.empty() ? app : parsed_verb(*verbs.front());
}

std::string full_name(const CLI::App& verb) {
    const CLI::App* parent = verb.get_parent();
    const bool is_nested = parent != nullptr && parent->get_parent() != nullptr;
    return is_nested ? parent->get_name() + ' ' + verb.get_name() : verb.get_name();
}

void check_verb(const CLI::App& app, ProcessArguments arguments) {
    if (arguments.count < 2) {
        throw UsageError("which verb? `lockstep --help` lists them");
    }
    const std::string_view word = arguments.values[1];
    const bool is_option = word.starts_with("-");
    const auto names = is_option ? option_names(app) : verb_names(app);
    for (const std::string& name : names) {
        if (name == word || word == "-h" || word == "-V") return;
    }
    const std::string other = is_option ? "" : verb_of_others(word);
    throw UsageError(fmt::format("unknown {} \"{}\"{}", is_option ? "option" : "verb", word,
                                 with_advice(other.empty() ? meant(word, names) : other,
                                             "`lockstep --help` lists the verbs")));
}

void check_values(const CLI::App& app, ProcessArguments arguments) {
    const auto [verb, first] = named_verb(app, arguments);
    for (int i = first; i < arguments.count; ++i) {
        const std::string word = arguments.values[i];
        if (word == "--") return;
        const bool has_empty_value = word.ends_with('=');
        const CLI::Option* const option =
            word.starts_with("--")
                ? verb->get_option_no_throw(word.substr(0, word.size() - (has_empty_value ? 1 : 0)))
                : nullptr;
        if (option == nullptr || option->get_items_expected_max() == 0) continue;
        if (has_empty_value) throw without_value(*option);
        if (i + 1 == arguments.count) return;
        const std::string next = arguments.values[i + 1];
        if (next.starts_with("--") && verb->get_option_no_throw(next) != nullptr)
            throw UsageError(
                fmt::format("{} needs a value: \"{}\" stands in its place", word, next));
        ++i;
    }
}

UsageError wrong_count(const CLI::App& app, const std::string& what) {
    const CLI::App& verb = parsed_verb(app);
    const std::string name = what.substr(0, what.find(':'));
    const CLI::Option* const option =
        name.starts_with("--") ? verb.get_option_no_throw(name) : nullptr;
    if (option == nullptr)
        return UsageError(fmt::format("{}; `lockstep {} --help` explains", what, full_name(verb)));
    if (option->count() > 1)
        return UsageError(
            fmt::format("{} is given {} times; it can be one", name, option->count()));
    return without_value(*option);
}

void check_near_verb(const CLI::App& above, const std::string& word) {
    const std::string near = meant(word, verb_names(above));
    if (near.empty()) return;
    throw UsageError(fmt::format("there is no verb \"{} {}\"{}", full_name(above), word, near));
}

UsageError unknown_verb(const CLI::App& above, const std::string& words) {
    const std::string last = words.substr(words.rfind(' ') + 1);
    return UsageError(
        fmt::format("there is no verb \"{}\"{}", words,
                    with_advice(meant(last, verb_names(above)), "`lockstep help` lists them")));
}

UsageError unexpected(const CLI::App& app) {
    const CLI::App& verb = parsed_verb(app);
    const std::vector<std::string> extras = app.remaining(true);
    // Behind "--" everything is an argument.
    const bool is_marked = extras.size() > 1 && extras.front() == "--";
    const std::string word = extras.empty() ? "" : extras[is_marked ? 1 : 0];
    const std::string option = word.substr(0, word.find('='));
    const bool is_option = !is_marked && word.starts_with("-");
    return UsageError(fmt::format(
        "{} \"{}\"{}", is_option ? "unknown option" : "unexpected argument",
        is_option ? option : word,
        with_advice(is_option ? meant_option(verb, extras) : "",
                    fmt::format("`lockstep {} --help` explains the verb", full_name(verb)))));
}

UsageError missing_word(const CLI::App& app, const std::string& what) {
    const CLI::App& verb = parsed_verb(app);
    const std::vector<std::string> verbs = verb_names(verb);
    if (!verbs.empty())
        return UsageError(fmt::format("`lockstep {}` is followed by one of {}", full_name(verb),
                                      fmt::join(verbs, ", ")));
    const std::string missing = what.substr(0, what.find(' '));
    const CLI::Option* const option =
        missing.starts_with("--") ? verb.get_option_no_throw(missing) : nullptr;
    const std::string values = option != nullptr ? option->get_type_name() : "";
    const bool is_choice = values.find('|') != std::string::npos;
    const std::string text = is_choice ? fmt::format("{}: {}", what, values) : what;
    std::istringstream examples(verb.get_footer());
    for (std::string line; std::getline(examples, line);) {
        const std::string example = example_in(line);
        const bool is_with_it =
            !missing.starts_with("--") || example.find(' ' + missing) != std::string::npos;
        if (!example.starts_with("lockstep " + full_name(verb)) || !is_with_it) continue;
        return UsageError(fmt::format("{}; for example `{}`", text, example));
    }
    return UsageError(fmt::format("{}; `lockstep {} --help` explains", text, full_name(verb)));
}

}  // namespace lockstep::pipeline
