(ns jepsen.random
  "Only Elle's generators draw at random, and they are not called here."
  (:refer-clojure :exclude [long double shuffle nth]))

(defn- unused [& _] (throw (UnsupportedOperationException.)))
(def long unused)
(def double unused)
(def shuffle unused)
(def nth unused)
(def zipf unused)
(def zipf-default-skew 1.0001)
