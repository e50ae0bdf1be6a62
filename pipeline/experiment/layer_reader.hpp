#pragma once

// The keys of one layer of an experiment file.

#include <string>

#include "pipeline/layers/key_visitor.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "pipeline/settings/table_reader.hpp"

namespace lockstep::pipeline {

// Each key is read where the table has it; a wrong one, or one that is missing, is a problem.
class LayerReader final : public KeyVisitor {
public:
    //   layer    its table, which outlives the reader
    //   prefix   of its keys: "layers.3."
    LayerReader(const Value& layer, const std::string& prefix, const LayerType& type,
                ReadContext context);

    LayerKind read();
    TableReader& table() { return reader_; }

    void whole(LayerKey key, int& value, WholeRange range) override;
    void real(LayerKey key, double& value, RealRange range) override;
    void truth(LayerKey key, bool& value) override;
    void rate(LayerKey key, double& value) override;
    void pair(LayerKey key, std::array<int, 2>& value, WholeRange range) override;
    void pair_like(LayerKey key, std::array<int, 2>& value, const std::array<int, 2>& other,
                   WholeRange range) override;
    void borders(LayerKey key, std::array<int, 2>& vertical, std::array<int, 2>& horizontal,
                 WholeRange range) override;
    void initializer(LayerKey key, trainer::InitializerConfig& value) override;
    void l2(LayerKey key, double& value) override;

private:
    void word(LayerKey key, std::size_t& index, std::span<const std::string_view> words) override;
    void need(LayerKey key);

    const Value& layer_;
    const LayerType& type_;
    TableReader reader_;
};

}  // namespace lockstep::pipeline
