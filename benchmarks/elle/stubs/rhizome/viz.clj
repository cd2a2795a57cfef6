(ns rhizome.viz)

(defn save-graph [& _])
(defn view-graph [& _])
(defn save-image [& _])
(defn graph->image [& _])
(defn dot->image [& _])
(defn dot->svg [& _])
(defn graph->svg [& _])
