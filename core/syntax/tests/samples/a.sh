#!/bin/bash
set -e

# Builds it.
build() {
  make all
}

function clean {
  rm -rf out
}

build
