#!/usr/bin/env node
// kubectl finds it by this name: `kubectl castellan request list` is `castellan request list`.
import "./castellan.js";
