#pragma once

// A model of the time of a training step on nodes that are not there, from figures measured on one
// (`lockstep bench step`). Strong scaling: the batch stays as it is, each rank computes its shards.
//
//   compute     f + s n, with n the samples of the rank that has most
//   exchange    u / P + m, and between N > 1 nodes 2 (N-1)/N b / B + 2 a
//   statistics  g t, and between N > 1 nodes g a
//
// with f, s: a rank's passes, whatever its samples and for each of them, fitted; P: ranks; u:
// additions and update of all parameters by one rank; m: what the ranks of one node need beyond
// u / P; b: bytes of a gradient; B, a: bandwidth and latency of the network; g, t: the meetings of
// batch normalization, and the time of one inside a node. What travels between nodes is what
// docs/exchange.md says of the exchange `ordered` where each node's shards are one subtree: the
// gradient with its tails in 2 latencies, statistics in one. The model leaves out waiting for the
// slowest of many ranks, the memory's bandwidth that the ranks of a node share, and what the
// network does at its busiest.

#include <span>

namespace lockstep::pipeline {

struct StepCost {
    int batch = 0;                  // samples of a step, over all ranks
    int shards = 0;                 // ranks beyond them have nothing to compute
    double fixed_seconds = 0.0;     // f
    double sample_seconds = 0.0;    // s
    double update_seconds = 0.0;    // u
    double node_seconds = 0.0;      // m, of the ranks of a node that were measured
    double gradient_bytes = 0.0;    // b
    int meetings = 0;               // g
    double meeting_seconds = 0.0;   // t
    double latency_seconds = 0.0;   // a
    double bytes_per_second = 1e9;  // B
};

struct PredictedStep {
    int samples = 0;  // of the rank that has most
    double compute = 0.0;
    double exchange = 0.0;
    double statistics = 0.0;

    double seconds() const { return compute + exchange + statistics; }
};

// nodes, ranks_per_node >= 1. One rank exchanges nothing and meets nobody.
PredictedStep predict_step(const StepCost& cost, int nodes, int ranks_per_node);

// How many times as much is trained in the same time when `ranks` ranks train as many runs side by
// side, a rank each, as when all of them train one run after another.
double side_by_side_gain(double seconds_on_one, double seconds_on_all, int ranks);

// f and s of seconds = f + s samples by least squares; neither is below 0. One point: f is 0.
struct SamplePoint {
    double samples = 0.0;
    double seconds = 0.0;
};
struct SampleLine {
    double fixed_seconds = 0.0;
    double sample_seconds = 0.0;
};
SampleLine fit_samples(std::span<const SamplePoint> points);

}  // namespace lockstep::pipeline
