#include "reports/tables/keras_csv.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

storage::EpochRow row_of(int epoch, double loss, double accuracy) {
    storage::EpochRow row;
    row.epoch = epoch;
    row.loss = loss;
    row.accuracy = accuracy;
    row.learning_rate = 1e-05;
    return row;
}

storage::EpochRow validated(storage::EpochRow row, double loss, double accuracy) {
    row.validation_count = 10;
    row.val_loss = loss;
    row.val_accuracy = accuracy;
    return row;
}

}  // namespace

// The expected texts are those of csv.DictWriter with Python's floats, driven as CSVLogger does.

TEST_CASE("keras csv: columns in the order of their names, epochs from 0", "[reports]") {
    const std::vector<storage::EpochRow> rows{
        validated(row_of(1, 2.25, 0.1), 2.0, 1.0),
        validated(row_of(2, 0.1, 0.30000000000000004), std::nan(""), 0.0)};
    CHECK(keras_csv(rows, false) ==
          "epoch,accuracy,loss,val_accuracy,val_loss\r\n"
          "0,0.1,2.25,1.0,2.0\r\n"
          "1,0.30000000000000004,0.1,0.0,nan\r\n");
    CHECK(keras_csv(rows, true)
              .starts_with("epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\r\n0,0.1,1e-05,"
                           "2.25,1.0,2.0\r\n"));
}

TEST_CASE("keras csv: top-5 accuracy is a column where there is one", "[reports]") {
    std::vector<storage::EpochRow> rows{validated(row_of(1, 2.25, 0.1), 2.0, 0.5)};
    rows.front().val_top_5_accuracy = 0.75;
    CHECK(keras_csv(rows, false) ==
          "epoch,accuracy,loss,val_accuracy,val_loss,val_top_5_accuracy\r\n"
          "0,0.1,2.25,0.5,2.0,0.75\r\n");
}

TEST_CASE("keras csv: without validation the columns are there all the same", "[reports]") {
    const std::vector<storage::EpochRow> rows{
        row_of(1, std::numeric_limits<double>::infinity(), 1e16)};
    CHECK(keras_csv(rows, false) ==
          "epoch,accuracy,loss,val_accuracy,val_loss\r\n0,1e+16,inf,NA,NA\r\n");
    CHECK(keras_csv(rows, true) ==
          "epoch,accuracy,learning_rate,loss,val_accuracy,val_learning_rate,val_loss\r\n"
          "0,1e+16,1e-05,inf,NA,NA,NA\r\n");
    CHECK(keras_csv({}, true).empty());
}

}  // namespace lockstep::reports
