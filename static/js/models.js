// A model's page: versions that are picked to be compared.
import "./selection.js";
