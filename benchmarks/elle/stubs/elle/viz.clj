(ns elle.viz)

(defn plot-analysis! [& _])
