(ns clj-commons.slingshot
  "The library under its former name, which Debian has."
  (:require [slingshot.slingshot :as s]))

(defmacro try+ [& body] `(s/try+ ~@body))
(defmacro throw+ [& body] `(s/throw+ ~@body))
