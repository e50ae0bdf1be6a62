#include "storage/database/run_database_views.hpp"

namespace lockstep::storage {
namespace {

struct View {
    const char* name;
    const char* select;
};

constexpr View kViews[] = {
    {"v_epochs", R"sql(
-- Every epoch with the name and the settings of its run.
SELECT r.experiment, r.name, r.seed, e.run, e.epoch, e.attempt, e.steps,
       e.loss, e.accuracy, e.val_loss, e.val_accuracy, e.is_nan, e.learning_rate,
       e.training_count, e.validation_count, e.weights_digest,
       e.epoch_seconds, e.training_seconds, e.exchange_seconds, e.data_seconds,
       e.evaluation_seconds, e.images_per_second, e.finished_utc, e.stopped_seconds,
       e.val_top_5_accuracy,
       r.state, r.dataset, r.optimizer, r.batch_size
FROM epochs e JOIN runs r USING (run))sql"},
    {"v_best", R"sql(
-- The best epoch of each run: by val_accuracy; by accuracy where there is no validation. The first
-- one of equals.
SELECT r.experiment, r.name, r.seed, t.run, t.best_epoch, e.loss, e.accuracy, e.val_loss,
       e.val_accuracy, e.finished_utc
FROM run_totals t JOIN runs r USING (run)
JOIN epochs e ON e.run = t.run AND e.epoch = t.best_epoch)sql"},
    {"v_runs", R"sql(
-- One row a run: how far it is, and what it reached. loss, accuracy, val_loss, val_accuracy,
-- val_top_5_accuracy and learning_rate are those of its last epoch; is_nan: one of them, or a figure of the whole run, was
-- a NaN.
SELECT r.experiment, r.run, r.name, r.seed, r.state,
       coalesce(t.epochs_finished, 0) AS epochs_finished, r.epochs AS epochs_planned,
       t.best_epoch, b.val_accuracy AS best_val_accuracy,
       (SELECT value FROM metrics m WHERE m.run = r.run AND m.name = 'test_loss') AS test_loss,
       (SELECT value FROM metrics m WHERE m.run = r.run AND m.name = 'test_accuracy')
           AS test_accuracy,
       (SELECT value FROM metrics m WHERE m.run = r.run AND m.name = 'test_top_5_accuracy')
           AS test_top_5_accuracy,
       r.parameters, a.ranks, a.host, a.attempt AS attempts, t.all_epochs_seconds,
       a.started_utc, a.finished_utc, a.cause,
       l.loss, l.accuracy, l.val_loss, l.val_accuracy, l.val_top_5_accuracy, l.learning_rate,
       t.all_epochs_seconds / t.epochs_finished AS mean_epoch_seconds,
       t.training_count / t.training_seconds AS images_per_second,
       r.title, r.source, r.dataset, r.optimizer, r.batch_size, r.shards, r.exchange,
       r.trainable_parameters, r.flops_per_image,
       r.training_samples, r.validation_samples, r.test_samples,
       r.validates_on_test_set, r.selected_on_test_set,
       r.printed_val_accuracy, r.printed_test_accuracy, r.created_utc,
       r.config_digest, r.data_digest, r.design_name, r.design_digest, r.parent_run,
       (SELECT coalesce(group_concat(tag, ' '), '')
        FROM (SELECT tag FROM run_tags g WHERE g.run = r.run ORDER BY tag)) AS tags,
       r.notes, r.settings, t.stopped_seconds,
       coalesce(l.is_nan, 0) OR EXISTS (SELECT 1 FROM metrics m WHERE m.run = r.run AND m.is_nan)
           AS is_nan
FROM runs r
LEFT JOIN run_totals t ON t.run = r.run
LEFT JOIN epochs b ON b.run = r.run AND b.epoch = t.best_epoch
LEFT JOIN epochs l ON l.run = r.run AND l.epoch = t.last_epoch
LEFT JOIN attempts a ON a.run = r.run
    AND a.attempt = (SELECT max(attempt) FROM attempts WHERE run = r.run))sql"},
    {"v_settings", R"sql(
-- Every effective setting of every run: key as in `--set` (layers.NAME.KEY for a layer's).
SELECT r.experiment, r.run, r.name, r.seed, s.key, s.value
FROM runs r, json_each(r.settings) s)sql"},
    {"v_compare", R"sql(
-- Runs side by side, with what their source printed.
SELECT experiment, run, name, seed, state, source, dataset, optimizer,
       batch_size, parameters, trainable_parameters, flops_per_image,
       epochs_finished, epochs_planned, best_epoch, best_val_accuracy, test_loss, test_accuracy,
       test_top_5_accuracy, printed_val_accuracy, printed_test_accuracy, validates_on_test_set, selected_on_test_set,
       ranks, exchange, mean_epoch_seconds, images_per_second, stopped_seconds
FROM v_runs)sql"},
};

}  // namespace

// Statements are put together from the constants above alone.
void create_views(SQLite::Database& db, const std::string& create) {
    for (const View& view : kViews) db.exec(create + view.name + " AS " + view.select);
}

void drop_views(SQLite::Database& db) {
    for (const View& view : kViews) db.exec(std::string("DROP VIEW IF EXISTS ") + view.name);
}

}  // namespace lockstep::storage
