#pragma once

// What rank 0 prints, handed to the process that started the ranks without passing mpirun: that of
// Open MPI 5 loses pieces of lines where more than 4,096 bytes wait for it.

namespace lockstep::pipeline {

// Of the process that starts the ranks: a file in memory for what rank 0 prints, from here on until
// it goes.
class HandedOutput {
public:
    HandedOutput();
    ~HandedOutput();
    HandedOutput(const HandedOutput&) = delete;
    HandedOutput& operator=(const HandedOutput&) = delete;

    void print() const;  // to standard output

private:
    int file_;  // -1: there is none, and mpirun forwards what is printed
};

// In a rank, before it prints: standard output of rank 0 becomes that file. Left as it is in other
// processes, and on another host than that of the file.
void hand_output_over();

}  // namespace lockstep::pipeline
