#include "tests/browser/imagined_reports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "reports/page/html_report.hpp"
#include "tests/reports/report_rows.hpp"

namespace lockstep::reports {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A name of 50 letters, most of them without a place to break.
std::string long_name(int number) {
    std::string name = fmt::format("w{:03}", number);
    while (name.size() < 50) name += name.size() % 20 == 0 ? '-' : 'm';
    return name;
}

storage::Predictions predictions(std::mt19937& random, int classes, int side) {
    constexpr int kSamples = 1000;
    constexpr std::uint32_t kImages = 50;
    storage::Predictions made;
    for (int i = 0; i < classes; ++i) {
        made.class_names.push_back(i == 0 ? long_name(0) : fmt::format("automobile-{}", i));
    }
    for (int sample = 0; sample < kSamples; ++sample) {
        const int label = sample % classes;
        made.labels.push_back(static_cast<std::uint8_t>(label));
        const int answer = sample < 400 ? label : static_cast<int>(random() % 10) % classes;
        for (int i = 0; i < classes; ++i) {
            const float rest = 0.3f / static_cast<float>(classes);
            made.probabilities.push_back(i == answer ? 0.7f + rest : rest);
        }
    }
    // The first ones, and mistakes.
    for (std::uint32_t i = 0; i < kImages; ++i) made.image_samples.push_back(i < 25 ? i : 375 + i);
    made.image_height = made.image_width = side;
    made.images.resize(kImages * static_cast<std::size_t>(side * side * 3));
    for (std::uint8_t& pixel : made.images) pixel = static_cast<std::uint8_t>(random());
    return made;
}

void describe(storage::RunDetails& details) {
    details.run.title = "A title of several words, and a long one: " + long_name(1);
    details.run.source = "a book, chapter 5, page 123";
    storage::AttemptRow& attempt = details.attempts.at(0);
    attempt.started_utc = attempt.finished_utc = "2026-03-01T12:00:00.250Z";
    attempt.job_id = "123456";
    attempt.lockstep_version = "0.1.0";
    attempt.onednn_version = "2.6.3";
    attempt.mpi_version = "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: x";
    attempt.isa = "Intel AVX-512 with Intel DL Boost";
    details.events = {{details.run.run, 1, "2026-03-01T12:00:00.250Z", "warning",
                       "a checkpoint was damaged: " + std::string(80, 'x')}};
    details.artifacts = {{details.run.run, "checkpoint",
                          "runs/" + details.run.run + "/checkpoint.h5", 1234567,
                          std::string(64, 'a'), 10}};
}

// Losses that a training has: they fall, and the learning rate with them.
void train(storage::RunDetails& details, int epochs, double start) {
    details.epochs.resize(1);
    const storage::EpochRow first = details.epochs[0];
    for (int epoch = 1; epoch <= epochs; ++epoch) {
        storage::EpochRow row = first;
        row.epoch = epoch;
        row.loss = start / std::sqrt(epoch) + 0.001234;
        row.val_loss = row.loss * 1.1;
        row.accuracy = 1.0 - 0.5 / std::sqrt(epoch);
        row.val_accuracy = row.accuracy - 0.0123;
        row.learning_rate = 0.1 / epoch;
        if (epoch == 1) details.epochs.clear();
        details.epochs.push_back(row);
    }
    details.run.epochs = epochs;
}

void fail(storage::RunDetails& details) {
    details.run.state = storage::RunState::failed;
    details.metrics.clear();
    for (storage::EpochRow& row : details.epochs) {
        if (row.epoch > 2) row.loss = kNaN;
        if (row.epoch > 2) row.val_loss = kNaN;
    }
    details.attempts.at(0).outcome = "failed";
    details.attempts.at(0).cause = "loss is not finite in epoch 3, step 17 of " + long_name(7);
}

storage::RunDetails run_of(int number) {
    // Runs 0, 1 and 2 are seeds of one design; the third one stops early.
    const bool is_seed = number < 3;
    storage::RunDetails details = finished_run(long_name(is_seed ? 0 : number), number + 1,
                                               0.5 + 0.4 * std::exp(-0.05 * number));
    if (!is_seed) details.run.effective_config += fmt::format("alpha = {}\n", number);
    describe(details);
    train(details, number == 2 ? 7 : 10, 2.0 + 0.1 * number);
    if (number % 5 == 3) fail(details);
    if (number % 5 == 4) {
        details.run.state = storage::RunState::interrupted;
        details.metrics.clear();
    }
    if (number % 50 == 49) details = queued_run(long_name(number));
    details.run.expected = number % 2 == 0 ? R"({"val_accuracy":[0.5,0.6,0.7]})" : "";
    return details;
}

storage::RunDetails said_by(const std::string& text, int number) {
    storage::RunDetails details = with_setting(finished_run("run", 1 + number, 0.8 + 0.01 * number),
                                               "train.remark", nlohmann::json(text).dump());
    describe(details);
    train(details, 10, 2.0);
    storage::RunRow& run = details.run;
    for (std::string* words : {&run.name, &run.title, &run.notes, &run.source, &run.dataset,
                               &run.architecture, &run.optimizer, &run.exchange, &run.design_name})
        *words = text;
    storage::AttemptRow& attempt = details.attempts.at(0);
    for (std::string* words : {&attempt.host, &attempt.job_id, &attempt.cause, &attempt.isa,
                               &attempt.lockstep_version, &attempt.mpi_version})
        *words = text;
    details.events.at(0).text = text;
    details.artifacts.at(0).path = text;
    details.tags = {text};
    return details;
}

}  // namespace

std::string imagined_page(int runs) {
    std::mt19937 random(1);
    std::vector<storage::RunDetails> rows;
    for (int i = 0; i < runs; ++i) rows.push_back(run_of(i));
    std::vector<std::string> finished;
    for (const storage::RunDetails& row : rows) {
        if (row.run.state == storage::RunState::finished) finished.push_back(row.run.run);
    }
    RowsSource source(std::move(rows));
    // A matrix that fits a telephone, one that does not, and one that fits nothing.
    const int classes[] = {10, 18, 30};
    for (std::size_t i = 0; i < finished.size() && i < 12; ++i) {
        source.put_predictions(finished[i], predictions(random, classes[i % 3], 8));
    }
    return html_report(report_of(source, "Networks of long names, side by side"));
}

std::string swept_page(int settings, int runs) {
    const char* const keys[] = {"train.optimizer.learning_rate",
                                "train.optimizer.momentum",
                                "train.batch_size",
                                "train.schedule.name",
                                "train.validation.fraction",
                                "layers.convolution_block_one.units",
                                "layers.dropout.rate",
                                "layers.dense.activation"};
    std::vector<storage::RunDetails> rows;
    for (int i = 0; i < runs; ++i) {
        const int combination = i / 2;  // of two seeds each
        storage::RunDetails details =
            finished_run(long_name(combination), 1 + i % 2, 0.37 + 0.15 * (i % 7) / 7.0);
        for (int key = 0; key < settings; ++key) {
            const int level = (combination >> key) % 2;
            const bool is_text = key == 3 || key == 7;
            details = with_setting(std::move(details), keys[key],
                                   is_text ? (level == 0 ? "\"exponential-decay\"" : "\"none\"")
                                   : level == 0 ? "0.0001"
                                                : "128");
        }
        rows.push_back(std::move(details));
    }
    return html_report(report_of(RowsSource(std::move(rows))));
}

std::string worded_page(int runs) {
    const std::vector<std::vector<const char*>> settings{{"\"sgd\"", "\"rmsprop\""},
                                                         {"[2, 3]", "[3, 3]"},
                                                         {"\"relu\"", "\"hard_sigmoid\""},
                                                         {"\"glorot_uniform\"", "\"he_normal\""},
                                                         {"3", "1000000"},
                                                         {"\"unit\"", "\"standardized\""}};
    const char* const keys[] = {"train.optimizer.name",  "layers.c1.kernel_size",
                                "layers.c1.activation",  "layers.c1.kernel_initializer",
                                "train.steps_per_epoch", "data.scale"};
    std::vector<storage::RunDetails> rows;
    for (int i = 0; i < runs; ++i) {
        // Near chance, all of them.
        storage::RunDetails details = finished_run(
            fmt::format("network-of-fifty-letters-that-goes-on-and-on-{:08x}", 0xabc0000 + i), 1,
            0.45 + 0.1 * (i % 7) / 7.0);
        for (std::size_t key = 0; key < settings.size(); ++key) {
            const bool is_second = (i >> key) % 2 == 1;
            details = with_setting(std::move(details), keys[key], settings[key][is_second ? 1 : 0]);
        }
        train(details, 10, i % 3 == 0 ? 1e12 : 2.0);
        if (i % 8 == 7) fail(details);
        rows.push_back(std::move(details));
    }
    return html_report(report_of(RowsSource(std::move(rows))));
}

std::string page_of_texts(const std::vector<std::string>& texts) {
    std::mt19937 random(3);
    std::vector<storage::RunDetails> rows;
    std::string title;
    for (const std::string& text : texts) {
        rows.push_back(said_by(text, static_cast<int>(rows.size())));
        title += title.empty() ? text : " " + text;
    }
    std::vector<std::string> ids;
    for (const storage::RunDetails& row : rows) ids.push_back(row.run.run);
    RowsSource source(std::move(rows));
    for (std::size_t i = 0; i < ids.size(); ++i) {
        storage::Predictions made = predictions(random, 10, 8);
        made.class_names.assign(10, texts[i]);
        for (std::size_t k = 0; k < 10; ++k) made.class_names[k] += fmt::format(" {}", k);
        source.put_predictions(ids[i], std::move(made));
    }
    return html_report(report_of(source, title));
}

std::string full_page(int runs) {
    std::mt19937 random(2);
    std::vector<storage::RunDetails> rows;
    for (int i = 0; i < runs; ++i) {
        rows.push_back(finished_run(fmt::format("network-{}", i), 1, 0.8));
        describe(rows.back());
        train(rows.back(), 200, 2.0 + 0.1 * i);
        for (int line = 0; line < 120; ++line) {
            rows.back().run.effective_config += fmt::format(
                "layers.conv2d_{}.kernel_initializer = \"glorot_uniform\"  # my.toml:{}\n",
                line + i, line);
        }
    }
    std::vector<std::string> ids;
    for (const storage::RunDetails& row : rows) ids.push_back(row.run.run);
    RowsSource source(std::move(rows));
    const storage::Predictions first = predictions(random, 10, 32);
    for (const std::string& id : ids) {
        storage::Predictions own = predictions(random, 10, 32);
        // All were tested on the same images; their mistakes are their own.
        std::copy_n(first.images.begin(), first.images.size() / 2, own.images.begin());
        source.put_predictions(id, std::move(own));
    }
    return html_report(report_of(source));
}

}  // namespace lockstep::reports
