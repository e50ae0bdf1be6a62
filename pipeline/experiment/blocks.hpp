#pragma once

// Blocks of layers: [block.NAME] says layers once, with parameters; { block = "NAME" } in a list of
// layers stands for them (docs/networks.md).

#include "pipeline/settings/toml_tree.hpp"

namespace lockstep::pipeline {

// Puts the layers of blocks in the place of their uses, in every run of the file. Every layer of a
// block gets a name, and all inputs in it the names of the network's layers. What is wrong with a
// block or a use is a problem at its line; a value of a block remembers the use.
void expand_blocks(Table& file, Problems& problems);

}  // namespace lockstep::pipeline
