(ns rhizome.dot)

(defn graph->dot [& _])
